package io.evento.server.security;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.ToIntFunction;

/**
 * How much of this node each caller has at the moment, so that none of them shuts the others out.
 * Counted by credential and by address; who reaches an open node shares it with nobody.
 *
 * <p>Why nothing is lost or kept for ever: a count of nothing retires once, by a step from 0 that
 * only one thread can make, and who finds it retired begins with another one. So at each moment the
 * counts in use are as many as the callers that have something.
 */
@NodeScoped
public class Shares {
  /** Of what a caller may have only so much. */
  public enum Of {
    SESSIONS("sessions", Setting.SESSIONS_PER_CREDENTIAL_MAX, Setting.SESSIONS_PER_ADDRESS_MAX),
    LIVE_READERS(
        "live readers",
        Setting.LIVE_READERS_PER_CREDENTIAL_MAX,
        Setting.LIVE_READERS_PER_ADDRESS_MAX),
    REQUESTS(
        "requests under way",
        Setting.REQUESTS_PER_CREDENTIAL_MAX,
        Setting.REQUESTS_PER_ADDRESS_MAX);

    private final String words;
    private final Setting perCredential;
    private final Setting perAddress;

    Of(String words, Setting perCredential, Setting perAddress) {
      this.words = words;
      this.perCredential = perCredential;
      this.perAddress = perAddress;
    }
  }

  /** What one of them has. */
  private static final class Counts {
    private static final int RETIRED = Integer.MIN_VALUE;
    private static final int KINDS = Of.values().length;

    private final AtomicInteger all = new AtomicInteger();
    private final AtomicIntegerArray byKind = new AtomicIntegerArray(KINDS);

    /** Whether it counts; else it is retired. */
    boolean enter() {
      for (var before = all.get(); before != RETIRED; before = all.get()) {
        if (all.compareAndSet(before, before + 1)) {
          return true;
        }
      }
      return false;
    }

    /** Whether it is retired now, as nothing is left. */
    boolean leave() {
      return all.decrementAndGet() == 0 && all.compareAndSet(0, RETIRED);
    }
  }

  private final ToIntFunction<Setting> settings;
  private final Map<Object, Counts> counts = new ConcurrentHashMap<>();

  @Inject
  public Shares(Settings settings) {
    this(settings::get);
  }

  public Shares(ToIntFunction<Setting> settings) {
    this.settings = settings;
  }

  /**
   * Takes one more; {@link #giveBack} once it is over.
   *
   * @throws EventoException {@code overloaded}, which names the limit; nothing is taken then
   */
  public void take(Of what, Caller caller) {
    if (caller.kind() == Caller.Kind.DEVELOPER) {
      return;
    }
    var credential = caller.credential();
    if (credential != null && !take(credential, what, settings.applyAsInt(what.perCredential))) {
      throw overloaded("this credential", what, what.perCredential);
    }
    if (!caller.address().isEmpty()
        && !take(caller.address(), what, settings.applyAsInt(what.perAddress))) {
      if (credential != null) {
        giveBack(credential, what);
      }
      throw overloaded("this address", what, what.perAddress);
    }
  }

  /** What was taken is over. */
  public void giveBack(Of what, Caller caller) {
    if (caller.kind() == Caller.Kind.DEVELOPER) {
      return;
    }
    var credential = caller.credential();
    if (credential != null) {
      giveBack(credential, what);
    }
    if (!caller.address().isEmpty()) {
      giveBack(caller.address(), what);
    }
  }

  /** How many callers and addresses have anything. */
  int size() {
    return counts.size();
  }

  private boolean take(Object key, Of what, int max) {
    var mine = counts.computeIfAbsent(key, first -> new Counts());
    while (!mine.enter()) {
      counts.remove(key, mine);
      mine = counts.computeIfAbsent(key, first -> new Counts());
    }
    if (mine.byKind.incrementAndGet(what.ordinal()) <= max) {
      return true;
    }
    leave(key, mine, what);
    return false;
  }

  private void giveBack(Object key, Of what) {
    var mine = counts.get(key);
    if (mine != null) {
      leave(key, mine, what);
    }
  }

  private void leave(Object key, Counts mine, Of what) {
    mine.byKind.decrementAndGet(what.ordinal());
    if (mine.leave()) {
      counts.remove(key, mine);
    }
  }

  private EventoException overloaded(String who, Of what, Setting limit) {
    return new EventoException(
        ErrorCode.OVERLOADED,
        who
            + " has "
            + settings.applyAsInt(limit)
            + " "
            + what.words
            + " on this node already ("
            + limit.key()
            + ")");
  }
}
