package io.evento.launcher;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/**
 * Payara Micro unpacked, with an archive of the classes that a node loads while it starts: the JVM
 * maps them into memory instead of reading and checking each one. Made once for a server, a WAR and
 * a Java, in a folder of its own.
 *
 * <p>It hurries a start and is never needed for it. A file has the options that nodes are started
 * with, and has the server's jar as long as there is nothing better. A JVM that finds an archive
 * unfit reads the classes as ever.
 */
final class ClassArchive {
  private static final System.Logger LOG = System.getLogger(ClassArchive.class.getName());
  private static final String MAIN_CLASS = "fish.payara.micro.impl.PayaraMicroImpl";
  private static final String LAUNCHER = "launch-micro.jar";

  /** A node that meets no database waits for it. */
  private static final Map<String, String> ALONE =
      Map.of(
          "EVENTO_NODE_BIND", "127.0.0.1", "EVENTO_DB_URL", "jdbc:postgresql://127.0.0.1:1/none");

  private static final int SECONDS_MAX = 120;

  private final PayaraMicro server;
  private final Path jar;
  private final Path folder;

  ClassArchive(PayaraMicro server) {
    this.server = server;
    this.jar = server.jar().toAbsolutePath();
    this.folder = server.archive().toAbsolutePath();
  }

  /** Options for {@code java}, the last of them what to start. */
  Path options() {
    return folder.resolve("start.options");
  }

  /** Whether {@link #prepare} would make nothing. */
  boolean isOf(Path war) throws IOException {
    return Files.exists(options()) && Files.readAllLines(options()).get(0).equals(made(war));
  }

  /**
   * Makes what is missing, or was made of something else. A failure is logged, and costs the hurry
   * alone.
   *
   * @throws IOException if not even the file of options can be written
   */
  void prepare(Path war) throws IOException, InterruptedException {
    Files.createDirectories(folder);
    synchronized (ClassArchive.class) {
      try (var channel =
              FileChannel.open(
                  folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          var lock = channel.lock()) {
        if (lock.isValid() && !isOf(war)) {
          write(war);
        }
      }
    }
  }

  private void write(Path war) throws IOException, InterruptedException {
    List<String> start;
    try {
      start = withArchive(war);
    } catch (IOException | StartFailure failure) {
      LOG.log(System.Logger.Level.WARNING, "nodes start without an archive of classes", failure);
      start = List.of("-jar", jar.toString());
    }
    var lines = Stream.concat(Stream.of(made(war)), start.stream().map(ClassArchive::quoted));
    var fresh = Files.createTempFile(folder, "start", ".new");
    Files.write(fresh, lines.toList());
    Files.move(fresh, options(), StandardCopyOption.REPLACE_EXISTING);
  }

  /** What an archive is of, as a comment. */
  private String made(Path war) throws IOException {
    return String.join(
        " ",
        "#",
        System.getProperty("java.home"),
        System.getProperty("java.vm.version"),
        print(jar),
        print(war.toAbsolutePath()));
  }

  private static String print(Path file) throws IOException {
    return file + " " + Files.size(file) + " " + Files.getLastModifiedTime(file).toMillis();
  }

  /** As a file of options has it, where a backslash escapes. */
  private static String quoted(String option) {
    return '"' + option.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  private List<String> withArchive(Path war) throws IOException, InterruptedException {
    var log = folder.resolve("prepare.log");
    Files.deleteIfExists(log);
    var start = start(unpacked(log));
    var work = Files.createTempDirectory(folder, "training-");
    try {
      var archive = work.resolve("classes.jsa");
      var training = new ArrayList<>(server.jvm());
      training.add(PayaraMicro.START_IN_ORDER);
      training.addAll(List.of("-XX:ArchiveClassesAtExit=" + archive, "-Xlog:cds=error"));
      training.addAll(start);
      training.addAll(List.of("--nocluster", "--disablephonehome", "--nohostaware"));
      training.addAll(List.of("--port", Integer.toString(freePort())));
      training.addAll(List.of("--rootdir", work.toString()));
      training.addAll(List.of("--prebootcommandfile", server.preBoot().toString()));
      training.addAll(List.of("--deploy", war.toString(), "--warmup"));
      run(training, log);
      // Under a name of its own: nodes that run have the former one in their memory.
      var kept = folder.resolve(work.getFileName() + ".jsa");
      Files.move(archive, kept);
      forgetOthersThan(kept);
      return Stream.concat(Stream.of("-XX:SharedArchiveFile=" + kept), start.stream()).toList();
    } finally {
      Tree.delete(work);
    }
  }

  private void forgetOthersThan(Path kept) throws IOException {
    try (var archives = Files.newDirectoryStream(folder, "*.jsa")) {
      for (var archive : archives) {
        if (!archive.equals(kept)) {
          Files.deleteIfExists(archive);
        }
      }
    }
  }

  /** Of this jar alone: nodes that run still read what was unpacked of another one. */
  private Path unpacked(Path log) throws IOException, InterruptedException {
    var name = Files.size(jar) + "-" + Files.getLastModifiedTime(jar).toMillis();
    var unpacked = folder.resolve(name);
    if (!Files.exists(unpacked)) {
      var fresh = Files.createTempDirectory(folder, "unpack-");
      run(List.of("-jar", jar.toString(), "--rootdir", fresh.toString(), "--outputlauncher"), log);
      Files.move(fresh, unpacked);
    }
    return unpacked.resolve(LAUNCHER);
  }

  /**
   * What {@code -jar} makes of the launcher's manifest, but that a node works in a folder of its
   * own, whose first files the server's jar has.
   */
  private List<String> start(Path launcher) throws IOException {
    var options = new ArrayList<String>();
    try (var file = new JarFile(launcher.toFile())) {
      var manifest = file.getManifest().getMainAttributes();
      for (var name : List.of("Add-Exports", "Add-Opens")) {
        var option = "--" + name.toLowerCase(Locale.ROOT) + "=";
        for (var one : manifest.getValue(name).split(" ")) {
          options.add(option + one + "=ALL-UNNAMED");
        }
      }
    }
    options.add("-Dfish.payara.micro.BootJar=" + launcher.toUri());
    options.add("-Dfish.payara.micro.UnpackDir=" + launcher.getParent());
    options.addAll(List.of("-cp", jar + File.pathSeparator + launcher, MAIN_CLASS));
    return options;
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static void run(List<String> options, Path log) throws IOException, InterruptedException {
    var process = new Launch(Launch.java(options), ALONE, log).spawn(Map.of());
    try {
      if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
        throw new StartFailure("Payara Micro does not end in " + SECONDS_MAX + " s.", log);
      }
      if (process.exitValue() != 0) {
        throw new StartFailure("Payara Micro ended with " + process.exitValue() + ".", log);
      }
    } finally {
      process.destroyForcibly();
    }
  }
}
