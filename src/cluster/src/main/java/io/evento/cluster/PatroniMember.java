package io.evento.cluster;

import io.evento.launcher.Member;
import io.evento.launcher.Signal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;

/** One Patroni with its PostgreSQL, and the link on which it hears of the others. */
public final class PatroniMember {

  private final Member patroni;
  private final Path data;
  private final int port;
  private final HeldLink link;

  PatroniMember(Member patroni, Path data, int port, HeldLink link) {
    this.patroni = patroni;
    this.data = data;
    this.port = port;
    this.link = link;
  }

  public String name() {
    return patroni.id();
  }

  /** Where its PostgreSQL listens. */
  public int port() {
    return port;
  }

  Member patroni() {
    return patroni;
  }

  /** Both are gone at once, as with the power of their host. */
  public void kill() throws InterruptedException {
    var postgres = postgres();
    patroni.pause(); // or it would start what we kill next
    postgres.forEach(process -> Signal.KILL.sendTo(process.pid()));
    patroni.kill();
  }

  /** Every process of it stands still and keeps its connections, as on a host that hangs. */
  public void freeze() {
    everything().forEach(process -> Signal.STOP.sendTo(process.pid()));
  }

  /** All of it goes on where it stood: PostgreSQL first, so that what can go wrong does. */
  public void wake() {
    everything().forEach(process -> Signal.CONT.sendTo(process.pid()));
  }

  /** It reaches etcd no longer; everybody still reaches it. */
  public void cutOff() {
    link.hold();
  }

  public void reconnect() {
    link.release();
  }

  /** After {@link #kill}. */
  public void start() {
    patroni.start();
  }

  /** A superuser's connection; fails within three seconds. */
  Connection administrator() throws SQLException {
    var properties = new Properties();
    properties.setProperty("user", PatroniCluster.ADMINISTRATOR.user());
    properties.setProperty("password", PatroniCluster.ADMINISTRATOR.password());
    properties.setProperty("connectTimeout", "1");
    properties.setProperty("socketTimeout", "1");
    properties.setProperty("loginTimeout", "2");
    return DriverManager.getConnection(
        "jdbc:postgresql://127.0.0.1:" + port + "/postgres", properties);
  }

  /** For ever; what it has stored is nobody's any more. */
  void remove() throws InterruptedException {
    kill();
    link.close();
  }

  private List<ProcessHandle> everything() {
    var all = new ArrayList<>(postgres());
    patroni.pid().stream()
        .mapToObj(ProcessHandle::of)
        .flatMap(Optional::stream)
        .flatMap(process -> Stream.concat(Stream.of(process), process.descendants()))
        .forEach(all::add);
    return all;
  }

  /** The postmaster, whose parent is not Patroni, and its children. */
  private List<ProcessHandle> postgres() {
    try {
      var first = Files.readAllLines(data.resolve("postmaster.pid")).get(0);
      return ProcessHandle.of(Long.parseLong(first.trim()))
          .filter(process -> process.info().commandLine().orElse("").contains(data.toString()))
          .stream()
          .flatMap(process -> Stream.concat(Stream.of(process), process.descendants()))
          .toList();
    } catch (NoSuchFileException stopped) {
      return List.of();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @Override
  public String toString() {
    return name();
  }
}
