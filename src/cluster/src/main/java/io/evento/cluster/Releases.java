package io.evento.cluster;

import io.evento.launcher.StartFailure;
import io.evento.launcher.Tree;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.zip.ZipFile;

/**
 * The WAR of this build and one of an earlier release, and which of the two each node runs when it
 * is started next.
 *
 * <p>The earlier one is the file that {@code -Dmixed.war} names. Without it, it is built from the
 * history: from the commit that {@code -Dmixed.commit} names, else from the last but one that
 * changed what runs in production. What was built is kept in {@code target/mixed} and not built
 * again.
 */
public final class Releases {

  /** One of the two. */
  public enum Release {
    EARLIER,
    PRESENT
  }

  /** Of the root, which its modules name as their parent's. */
  private static final Pattern VERSION = Pattern.compile("<version>[^<]*</version>");

  private static final long BUILD_MAX_MINUTES = 15;

  private final Map<Release, Path> built;
  private final List<Path> places;
  private final Map<Integer, Release> given = new HashMap<>();

  private Releases(Map<Release, Path> built, List<Path> places) {
    this.built = built;
    this.places = places;
  }

  /**
   * Finds or builds the earlier WAR, which takes minutes; every node has the present one at first.
   *
   * @param nodes how many
   * @throws StartFailure if there is no earlier WAR and none can be built
   */
  public static Releases find(Path project, int nodes) throws IOException, InterruptedException {
    var home = Files.createDirectories(project.resolve("target/mixed"));
    var present = project.resolve("target/evento.war");
    var named = System.getProperty("mixed.war", "");
    var earlier = named.isEmpty() ? build(project, home) : Path.of(named).toAbsolutePath();
    if (Files.mismatch(earlier, present) < 0) {
      throw new StartFailure(earlier + " is the WAR of this build: there is nothing to mix.");
    }
    if (name(earlier).equals(name(present))) {
      throw new StartFailure(
          earlier
              + " calls itself "
              + name(present)
              + " as the WAR of this build does, so nobody could tell their nodes apart. Have it"
              + " built from its commit: -Dmixed.commit.");
    }
    var places =
        IntStream.rangeClosed(1, nodes)
            // The server takes the context's path from the file's name.
            .mapToObj(node -> home.resolve("war-" + node).resolve("evento.war"))
            .toList();
    var releases = new Releases(Map.of(Release.EARLIER, earlier, Release.PRESENT, present), places);
    for (var node = 1; node <= nodes; node++) {
      releases.give(node, Release.PRESENT);
    }
    return releases;
  }

  /** Where each node finds its WAR, in order. */
  List<Path> places() {
    return places;
  }

  /**
   * What the node was given last.
   *
   * @param node from 1
   */
  public Release of(int node) {
    return Objects.requireNonNull(given.get(node));
  }

  /**
   * Takes effect when the node is started next.
   *
   * @param node from 1
   */
  public void give(int node, Release release) throws IOException {
    var place = places.get(node - 1);
    Files.createDirectories(place.getParent());
    // Not over the file, which a server that runs may have open.
    var copy = place.resolveSibling("copy");
    Files.copy(
        Objects.requireNonNull(built.get(release)), copy, StandardCopyOption.REPLACE_EXISTING);
    Files.move(copy, place, StandardCopyOption.REPLACE_EXISTING);
    given.put(node, release);
  }

  private static Path build(Path project, Path home) throws IOException, InterruptedException {
    var commit = commit(project, home);
    var tree = home.resolve(commit);
    var war = tree.resolve("target/evento.war");
    if (Files.exists(war)) {
      return war;
    }
    Tree.delete(tree);
    Files.createDirectories(tree);
    var source = home.resolve("source.tar");
    run(project, home, "git", "archive", "--format=tar", "-o", source.toString(), commit);
    run(project, home, "tar", "-xf", source.toString(), "-C", tree.toString());
    name(tree, "0.0.0-" + commit.substring(0, 8));
    run(tree, home, "mvn", "-B", "-ntp", "-q", "-P!checks", "-Dmaven.test.skip=true", "package");
    return war;
  }

  private static String name(Path war) throws IOException {
    try (var file = new ZipFile(war.toFile());
        var text = file.getInputStream(file.getEntry("WEB-INF/classes/evento.properties"))) {
      var said = new Properties();
      said.load(text);
      return said.getProperty("release");
    }
  }

  /** Nodes tell releases apart by their names, which two commits have in common. */
  private static void name(Path tree, String release) throws IOException {
    var found = VERSION.matcher(Files.readString(tree.resolve("pom.xml")));
    if (!found.find()) {
      throw new StartFailure(tree.resolve("pom.xml") + " has no version");
    }
    List<Path> poms;
    try (var all = Files.walk(tree)) {
      poms = all.filter(file -> file.endsWith("pom.xml")).toList();
    }
    for (var pom : poms) {
      Files.writeString(
          pom, Files.readString(pom).replace(found.group(), "<version>" + release + "</version>"));
    }
  }

  private static String commit(Path project, Path home) throws IOException, InterruptedException {
    var named = System.getProperty("mixed.commit", "");
    var found =
        named.isEmpty()
            ? run(
                project,
                home,
                "git",
                "rev-list",
                "-n1",
                "--skip=1",
                "HEAD",
                "--",
                "src/main",
                "src/bundle/src/main",
                "src/server/src/main")
            : run(project, home, "git", "rev-parse", "--verify", named + "^{commit}");
    if (found.isEmpty()) {
      throw new StartFailure(
          "Here is no earlier commit that changed what runs in production; a shallow clone has none. Fetch the"
              + " history with git fetch --unshallow, or name a commit with -Dmixed.commit or a WAR"
              + " with -Dmixed.war.");
    }
    return found;
  }

  /** What it says, without the end of the last line. */
  private static String run(Path directory, Path home, String... command)
      throws IOException, InterruptedException {
    var log = home.resolve(command[0] + ".log");
    var process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    if (!process.waitFor(BUILD_MAX_MINUTES, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new StartFailure(String.join(" ", command) + " does not end.", log);
    }
    if (process.exitValue() != 0) {
      throw new StartFailure(String.join(" ", command) + " failed.", log);
    }
    return new String(Files.readAllBytes(log), StandardCharsets.UTF_8).strip();
  }
}
