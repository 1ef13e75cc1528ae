package io.evento.launcher;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How a node is started on Payara Micro.
 *
 * @param jar the server itself
 * @param preBoot commands for it before it boots: {@code payara/pre-boot.asadmin}, or {@code
 *     payara/pre-boot-tls.asadmin} for a node over TLS
 * @param jvm options of its JVM
 * @param archive a folder for what is prepared; several clusters may share it
 */
public record PayaraMicro(Path jar, Path preBoot, List<String> jvm, Path archive) {

  /**
   * A node spends its start in the compiler: with the second compiler left out it needs half the
   * CPU until it is ready (10.9 instead of 21.8 s measured), and serves more for the first minute
   * after it (32 callers over HTTP on two cores: 88 against 57 commands a second in the first ten
   * seconds, 315 against 118 after 20; later thresholds of the second compiler are worse still).
   * Benchmarks and long runs want the other one: after 80 s of load it needs half the CPU a query.
   */
  public static final List<String> QUICK_START =
      List.of("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

  /**
   * Payara starts its services on several threads, which meet in a list of HK2 now and then: the
   * server then ends with a ConcurrentModificationException.
   */
  static final String START_IN_ORDER = "-Dorg.glassfish.startupThreadPolicy=USE_NO_THREADS";

  /** Whether {@link #prepare} has nothing to do. */
  public boolean isPreparedFor(Path war) throws IOException {
    return new ClassArchive(this).isOf(war);
  }

  /**
   * Makes what a node starts faster with, unless it is there: about as long as one start. Before
   * the first node is started.
   *
   * @param war what the nodes run; others start too, but not as fast
   * @throws IOException if nothing can be written there
   */
  public void prepare(Path war) throws IOException, InterruptedException {
    new ClassArchive(this).prepare(war);
  }

  /**
   * How a node is started once the server is {@link #prepare prepared}.
   *
   * @param directory of the node's own files
   */
  public Launch launch(NodeSettings node, Path war, Path directory, Path log) {
    try {
      Files.createDirectories(directory);
    } catch (IOException failure) {
      throw new UncheckedIOException("the node has no folder", failure);
    }
    var options = new ArrayList<>(jvm);
    options.addAll(List.of("-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true"));
    options.add("-Dproduct.name="); // pages of the server's own name no version
    options.add(START_IN_ORDER);
    options.add("@" + new ClassArchive(this).options());
    options.addAll(List.of("--nocluster", "--disablephonehome", "--nohostaware"));
    options.addAll(
        List.of(node.isOverTls() ? "--sslport" : "--port", Integer.toString(node.port())));
    options.addAll(List.of("--rootdir", directory.toString()));
    options.addAll(List.of("--prebootcommandfile", preBoot.toString()));
    options.addAll(List.of("--deploy", war.toString()));
    return new Launch(
        Launch.java(options),
        PersonalKeys.with(node.environment(), directory),
        log,
        // Payara would deploy what it remembers, and then the same once more.
        List.of(directory.resolve("config/domain.xml"), directory.resolve("applications")));
  }
}
