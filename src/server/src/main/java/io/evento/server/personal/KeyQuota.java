package io.evento.server.personal;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.security.Caller;
import io.evento.server.setting.Setting;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.ToIntFunction;

/**
 * How many keys each credential makes on this node within a minute: a key is a row for ever, and
 * subjects are whatever a bundle names. Thread-safe; holds as many counts as credentials made keys
 * in that minute.
 */
final class KeyQuota {
  private static final Setting LIMIT = Setting.PERSONAL_KEYS_PER_MINUTE_MAX;
  private static final long MINUTE_NANOS = TimeUnit.MINUTES.toNanos(1);

  private final ToIntFunction<Setting> settings;
  private final LongSupplier nanoTime;
  private final Map<UUID, Integer> made = new HashMap<>();
  private long since;

  KeyQuota(ToIntFunction<Setting> settings, LongSupplier nanoTime) {
    this.settings = settings;
    this.nanoTime = nanoTime;
    since = nanoTime.getAsLong();
  }

  /**
   * Takes so many at once, or none.
   *
   * @throws EventoException {@code overloaded}, which names the limit
   */
  synchronized void take(Caller caller, int count) {
    var credential = caller.credential();
    if (credential == null) {
      return; // reaches an open node, which has no others to be protected
    }
    var now = nanoTime.getAsLong();
    if (now - since >= MINUTE_NANOS) {
      since = now;
      made.clear();
    }
    var before = made.getOrDefault(credential, 0);
    var max = settings.applyAsInt(LIMIT);
    if (before + count > max) {
      throw new EventoException(
          ErrorCode.OVERLOADED,
          "this credential made "
              + before
              + " keys of subjects in this minute, and may make "
              + max
              + " ("
              + LIMIT.key()
              + ")");
    }
    made.put(credential, before + count);
  }
}
