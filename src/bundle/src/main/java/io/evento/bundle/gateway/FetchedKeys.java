package io.evento.bundle.gateway;

import io.evento.bundle.personal.KeyRing;
import io.evento.bundle.personal.SubjectKeys;
import io.evento.protocol.Codec;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.PersonalMessage;
import io.evento.protocol.PersonalMessage.Given;
import io.evento.protocol.PersonalMessage.Keys;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Keys of subjects, asked of a node and held for a minute. Thread-safe.
 *
 * <p>Whoever needs one waits for it, at most five seconds: answers come by the thread of a link,
 * which nobody who waits here holds up. A node says at once who was erased; a session that is lost
 * could have said it, so all that is held is forgotten with it. Invariant: a key is used for a
 * minute at most after a node gave it, and never once a node has told this bundle of the erasure.
 */
public final class FetchedKeys implements SubjectKeys {
  private static final Duration DEADLINE = Duration.ofSeconds(5);
  private static final long HELD_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final int SUBJECTS_MAX = 20_000;

  private final LongSupplier nanoTime;
  private final Map<Use, Held> held = newest(SUBJECTS_MAX);

  /** Erased as this bundle was told, so that an answer that was on its way is not held. */
  private final Map<String, Boolean> toldErased = newest(SUBJECTS_MAX);

  private volatile @Nullable Asking asking;

  /** Asks a node. */
  interface Asking {
    /**
     * @param type of what is to be written, for which keys are made; null to read
     */
    CompletableFuture<Given> ask(List<String> subjects, @Nullable String type);
  }

  /**
   * What is held.
   *
   * @param type of what is to be written; null to read
   */
  private record Use(String subject, @Nullable String type) {}

  private record Held(CompletableFuture<KeyRing> ring, long until) {
    boolean serves(long now) {
      return now - until < 0 && !ring.isCompletedExceptionally();
    }

    /** Whether what it is waiting for may still have the key, or it says for certain. */
    boolean maySay(int version) {
      var known = ring.isCompletedExceptionally() ? null : ring.getNow(null);
      return known == null || known.isErased() || known.has(version);
    }
  }

  public FetchedKeys() {
    this(System::nanoTime);
  }

  FetchedKeys(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  private static <K, T> Map<K, T> newest(int most) {
    return new LinkedHashMap<>(64, 0.75f, true) {
      private static final long serialVersionUID = 1L;

      @Override
      protected boolean removeEldestEntry(Map.Entry<K, T> eldest) {
        return size() > most;
      }
    };
  }

  /** From now on keys can be asked for. */
  public void askBy(Requests requests) {
    askBy((subjects, type) -> ask(requests, subjects, type));
  }

  void askBy(Asking by) {
    asking = by;
  }

  private static CompletableFuture<Given> ask(
      Requests requests, List<String> subjects, @Nullable String type) {
    var id = UUID.randomUUID();
    var ask = new Keys(id, subjects, type != null, type);
    var request = new Request(id, false, "", Json.EMPTY_OBJECT, null, DEADLINE, millis -> ask);
    return requests
        .send(request)
        .thenApply(
            result -> {
              var payload = result.payload();
              if (payload == null) {
                throw new IllegalStateException("the node answered without keys");
              }
              return Codec.read(Given.class, payload.text());
            });
  }

  /** A key that was made since the others were asked for is asked for anew. */
  @Override
  public KeyRing find(String subject, int version) {
    var use = new Use(subject, null);
    synchronized (this) {
      var known = held.get(use);
      if (known != null && !known.maySay(version)) {
        held.remove(use);
      }
    }
    return await(wanted(Set.of(use)).get(0));
  }

  @Override
  public KeyRing findOrMake(String subject, String type) {
    return await(wanted(Set.of(new Use(subject, type))).get(0));
  }

  /** Does not fail: who needs one of them asks again, and hears why there is none. */
  @Override
  public void prepare(Collection<String> subjects) {
    var all = List.copyOf(subjects);
    for (var from = 0; from < all.size(); from += PersonalMessage.SUBJECTS_MAX) {
      var to = Math.min(all.size(), from + PersonalMessage.SUBJECTS_MAX);
      var uses = new HashSet<Use>();
      all.subList(from, to).forEach(subject -> uses.add(new Use(subject, null)));
      var unused = wanted(uses);
    }
  }

  /** What is held of uses that have one type, or on its way; one question for all that is not. */
  private List<CompletableFuture<KeyRing>> wanted(Set<Use> uses) {
    var now = nanoTime.getAsLong();
    var rings = new ArrayList<CompletableFuture<KeyRing>>();
    var toAsk = new HashMap<String, CompletableFuture<KeyRing>>();
    synchronized (this) {
      for (var use : uses) {
        var known = held.get(use);
        if (toldErased.containsKey(use.subject)) {
          known = new Held(CompletableFuture.completedFuture(KeyRing.ERASED), now);
        } else if (known == null || !known.serves(now)) {
          known = new Held(new CompletableFuture<>(), now + HELD_NANOS);
          held.put(use, known);
          toAsk.put(use.subject, known.ring);
        }
        rings.add(known.ring);
      }
    }
    if (!toAsk.isEmpty()) {
      ask(toAsk, uses.iterator().next().type);
    }
    return rings;
  }

  private void ask(Map<String, CompletableFuture<KeyRing>> open, @Nullable String type) {
    var by = asking;
    if (by == null) {
      var early = new EventoException(ErrorCode.UNAVAILABLE, "the bundle is not connected yet");
      open.values().forEach(ring -> ring.completeExceptionally(early));
      return;
    }
    by.ask(List.copyOf(open.keySet()), type)
        .whenComplete(
            (given, failure) -> {
              if (failure != null) {
                open.values().forEach(ring -> ring.completeExceptionally(failure));
              } else {
                take(given, open);
              }
            });
  }

  private void take(Given given, Map<String, CompletableFuture<KeyRing>> open) {
    var keys = new HashMap<String, Map<Integer, byte[]>>();
    for (var key : given.keys()) {
      keys.computeIfAbsent(key.subject(), first -> new HashMap<>()).put(key.version(), key.key());
    }
    open.forEach(
        (subject, ring) ->
            ring.complete(
                given.erased().contains(subject) || isToldErased(subject)
                    ? KeyRing.ERASED
                    : KeyRing.of(keys.getOrDefault(subject, Map.of()))));
  }

  private synchronized boolean isToldErased(String subject) {
    return toldErased.containsKey(subject);
  }

  private static KeyRing await(CompletableFuture<KeyRing> ring) {
    try {
      return ring.get(2 * DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof EventoException told && isPassing(told)) {
        throw new EventoException(ErrorCode.UNAVAILABLE, "no key could be had: " + told.detail());
      }
      throw new IllegalStateException("no key could be had", failed.getCause());
    } catch (TimeoutException late) {
      throw new EventoException(ErrorCode.UNAVAILABLE, "no key could be had in time");
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new EventoException(ErrorCode.UNAVAILABLE, "interrupted before a key was there");
    }
  }

  private static boolean isPassing(EventoException told) {
    return told.code().retry() == ErrorCode.Retry.LATER
        || told.code() == ErrorCode.DEADLINE_EXCEEDED;
  }

  /** These subjects are erased, as a node says. */
  public synchronized void erased(List<String> subjects) {
    subjects.forEach(subject -> toldErased.put(subject, true));
    held.keySet().removeIf(use -> toldErased.containsKey(use.subject));
  }

  /**
   * Forgets all keys.
   *
   * @return whether there were any
   */
  public synchronized boolean forget() {
    var hadSome = !held.isEmpty();
    held.clear();
    return hadSome;
  }
}
