package io.evento.launcher;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A place in the cluster and the process that fills it, if one runs. It can be emptied and filled
 * again any number of times. Safe for use by several threads; waiting for readiness or for an end
 * blocks nobody else.
 */
public final class Member {

  /** Hears of every start and end. */
  public interface Watcher {
    void started(Member member);

    /** It ended and nobody had asked for it. */
    void endedByItself(Member member, int exitCode);

    void ended(Member member);
  }

  private static final long POLL_MILLIS = 100;

  private final String id;
  private final String url;
  private final Launch launch;
  private final Readiness readiness;
  private final Signal politeEnd;
  private final Watcher watcher;
  private @Nullable Process process;
  private @Nullable Process askedToEnd;

  public Member(
      String id,
      String url,
      Launch launch,
      Readiness readiness,
      Signal politeEnd,
      Watcher watcher) {
    this.id = id;
    this.url = url;
    this.launch = launch;
    this.readiness = readiness;
    this.politeEnd = politeEnd;
    this.watcher = watcher;
  }

  public String id() {
    return id;
  }

  public String url() {
    return url;
  }

  public Path log() {
    return launch.log();
  }

  /** Empty when no process fills this place. */
  public OptionalLong pid() {
    var running = running();
    return running.isPresent() ? OptionalLong.of(running.get().pid()) : OptionalLong.empty();
  }

  /** Empty when no process fills this place. */
  public synchronized Optional<Process> running() {
    return Optional.ofNullable(process).filter(Process::isAlive);
  }

  /** Starts a process unless one runs; does not wait until it is ready. */
  public void start() {
    start(Map.of());
  }

  /**
   * @param environment added to the usual one for this process only
   */
  public void start(Map<String, String> environment) {
    Process started;
    synchronized (this) {
      if (running().isPresent()) {
        return;
      }
      try {
        started = launch.spawn(environment);
      } catch (IOException failure) {
        throw new UncheckedIOException("cannot start " + id, failure);
      }
      process = started;
    }
    watcher.started(this);
    started.onExit().thenAccept(this::ended);
  }

  /**
   * @throws StartFailure as of {@link #awaitReady(StartPatience)}
   */
  public void awaitReady(Duration limit) throws InterruptedException {
    awaitReady(StartPatience.of(limit));
  }

  /**
   * @throws StartFailure if the process ends or is not ready in time; it is not stopped for that
   */
  public void awaitReady(StartPatience patience) throws InterruptedException {
    var watch = patience.watch();
    while (!readiness.isReached()) {
      var running = running();
      if (running.isEmpty() || running.get().waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        throw new StartFailure(id + " ended before it was ready.", log());
      }
      var cpu = running.get().info().totalCpuDuration().orElse(Duration.ZERO);
      var now = System.nanoTime();
      if (!watch.isPatient(log().toFile().length(), cpu, now)) {
        throw new StartFailure(id + watch.given(now), log());
      }
    }
  }

  public boolean isReady() {
    return readiness.isReached();
  }

  /**
   * Asks it to end and waits; after {@code grace} it is killed. A frozen process is woken first.
   */
  public void stop(Duration grace) throws InterruptedException {
    var asked = askToEnd();
    if (asked.isPresent()) {
      resume();
      politeEnd.sendTo(asked.get().pid());
      if (!asked.get().waitFor(grace.toMillis(), TimeUnit.MILLISECONDS)) {
        Signal.KILL.sendTo(asked.get().pid());
        asked.get().waitFor(grace.toMillis(), TimeUnit.MILLISECONDS);
      }
    }
  }

  /** Ends it as a power cut would. */
  public void kill() throws InterruptedException {
    endBy(Signal.KILL);
  }

  public void pause() {
    running().ifPresent(running -> Signal.STOP.sendTo(running.pid()));
  }

  public void resume() {
    running().ifPresent(running -> Signal.CONT.sendTo(running.pid()));
  }

  /** Sends an ending signal and waits until the process is gone. */
  public void endBy(Signal signal) throws InterruptedException {
    var asked = askToEnd();
    if (asked.isPresent()) {
      signal.sendTo(asked.get().pid());
      asked.get().waitFor();
    }
  }

  private synchronized Optional<Process> askToEnd() {
    var running = running();
    running.ifPresent(asked -> askedToEnd = asked);
    return running;
  }

  private void ended(Process gone) {
    boolean asked;
    synchronized (this) {
      asked = gone.equals(askedToEnd);
    }
    if (!asked) {
      watcher.endedByItself(this, gone.exitValue());
    }
    watcher.ended(this);
  }

  @Override
  public String toString() {
    return id;
  }
}
