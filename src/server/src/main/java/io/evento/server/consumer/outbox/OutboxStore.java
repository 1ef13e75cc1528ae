package io.evento.server.consumer.outbox;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Receipt;
import io.evento.protocol.Rejection;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A table of commands to be sent, in terms of claims: an entry is with one node at a time, until
 * the claim is over or the node is gone.
 */
public interface OutboxStore {
  /**
   * How an entry ended for good: done, or refused in a way that no repeat can change.
   *
   * @param receipt if it was done; else null
   * @param code if it was not done; else null
   */
  record End(
      UUID id,
      @Nullable Receipt receipt,
      @Nullable ErrorCode code,
      @Nullable String detail,
      @Nullable Rejection rejection) {
    public static End done(UUID id, Receipt receipt) {
      return new End(id, receipt, null, null, null);
    }

    public static End refused(UUID id, EventoException told) {
      return new End(id, null, told.code(), told.detail(), told.rejection());
    }
  }

  /** An attempt that was not final. */
  record Delay(UUID id, String error, Duration pause) {}

  /**
   * Takes what is due.
   *
   * @param until how long it is this node's
   * @param without types that are passed over
   */
  List<OutboxEntry> claim(UUID incarnation, Duration until, int max, Collection<String> without);

  /**
   * How long until something is due.
   *
   * @param without types that are passed over
   * @return at most the given time
   */
  Duration untilNext(Duration max, Collection<String> without);

  /** Keeps the ends; what is claimed by somebody else by now is settled all the same. */
  void settle(Collection<End> ends);

  /** Gives back what has to be tried later. */
  void delay(Collection<Delay> delays, UUID incarnation);

  /** Makes due what nodes claimed that are gone. */
  void releaseAllBut(Collection<UUID> live);
}
