package io.evento.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The archive of classes hurries a start, and whatever is wrong with it must not hinder one. */
@SuppressWarnings("NullAway.Init") // made before each test
class ClassArchiveTest {
  @TempDir private Path folder;
  private Path jar;
  private Path war;
  private ClassArchive archive;

  @BeforeEach
  void a_server_that_cannot_be_unpacked() throws IOException {
    jar = Files.writeString(folder.resolve("a server.jar"), "this is no jar");
    war = Files.writeString(folder.resolve("evento.war"), "this is no WAR");
    var server =
        new PayaraMicro(jar, folder.resolve("pre-boot"), List.of(), folder.resolve("archive"));
    archive = new ClassArchive(server);
  }

  @Test
  void without_an_archive_nodes_are_started_by_the_servers_jar() throws Exception {
    archive.prepare(war);
    assertThat(Files.readAllLines(archive.options()))
        .hasSize(3)
        .endsWith("\"-jar\"", "\"" + jar + "\"");
  }

  @Test
  void what_failed_once_is_not_tried_at_each_start() throws Exception {
    archive.prepare(war);
    assertThat(archive.isOf(war)).isTrue();
    var made = Files.getLastModifiedTime(archive.options());
    archive.prepare(war);
    assertThat(Files.getLastModifiedTime(archive.options())).isEqualTo(made);
  }

  @Test
  void another_war_and_another_server_have_archives_of_their_own() throws Exception {
    archive.prepare(war);
    Files.writeString(war, "nor is this, and it is longer");
    assertThat(archive.isOf(war)).isFalse();
    archive.prepare(war);
    assertThat(archive.isOf(war)).isTrue();
    Files.writeString(jar, "nor is this a server");
    assertThat(archive.isOf(war)).isFalse();
  }
}
