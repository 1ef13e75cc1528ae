package io.evento.server.eventstore.append;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.persistence.ArrayLiteral;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The one statement that writes: arguments of the database's function {@code append_4} from a
 * batch, and its answer. The function stands in the migration {@code V38__chains_of_commands.sql};
 * it refuses duplicates of command ids, stale tips and broken conditions, in this order, with each
 * link all others of its chain, and numbers what is left. Nothing may stand beside the call.
 *
 * <p>Keeps invariant I3.
 */
final class AppendFunction {
  // Known to sole_call_2 of V38 as it stands here, with what the driver puts in for values. Another
  // text takes 60 us instead of 6 to be told from one that does more than call.
  private static final String CALL =
      """
      select epoch, base, count, recorded_at, refused,
             (extract(epoch from recorded_at - statement_timestamp()) * 1000000)::bigint,
             system_identifier, timeline
        from evento.append_4(?, ?, ?, ?, ?, ?,
               ?, ?, ?, ?, ?,  ?, ?, ?, ?,  ?, ?, ?, ?, ?, ?,  ?, ?, ?, ?)
      """;

  /**
   * What the store said of a batch.
   *
   * @param base position before the first event
   * @param refused empty if all was accepted
   * @param gate from the start of the call until it had the order for itself
   * @param system the server's system identifier; null if the call did not look, or may not
   * @param timeline the highest one known of it; null if the call did not look
   * @param warned whether the driver had a warning: the commit may then not be durable yet
   */
  record Answer(
      UUID epoch,
      long base,
      int count,
      Instant recordedAt,
      List<Refusal> refused,
      Duration gate,
      @Nullable Long system,
      @Nullable String timeline,
      boolean warned) {
    StorePosition head() {
      return new StorePosition(epoch, base + count);
    }
  }

  /** A row of {@code refusal_1}; its comment there says what is filled in when. */
  record Refusal(
      int command,
      String reason,
      @Nullable Integer kind,
      @Nullable String stream,
      @Nullable Long position,
      @Nullable Long version,
      @Nullable Long tip,
      @Nullable String body,
      @JsonProperty("at") @Nullable String time) {
    Instant at() {
      return OffsetDateTime.parse(Objects.requireNonNull(time)).toInstant();
    }
  }

  /** A JSON array cannot be read by {@link Codec} but as a field. */
  private record Refusals(List<Refusal> all) {}

  private AppendFunction() {}

  /**
   * Calls the function once. What an exception means, {@link AppendFailure} says.
   *
   * @param memory what this node last knew; null for nothing
   * @param claimed a position of the memory's epoch that somebody says to have seen; 0 for none
   * @param batch may be empty: asks for epoch and head, as durable as any answer
   */
  static Answer run(
      Connection connection, @Nullable StoreMemory memory, long claimed, List<AppendRequest> batch)
      throws SQLException {
    try (var call = connection.prepareStatement(CALL)) {
      bind(call, memory, claimed, batch);
      try (var row = call.executeQuery()) {
        row.next();
        return answer(row, call.getWarnings() != null || connection.getWarnings() != null);
      }
    }
  }

  private static void bind(
      PreparedStatement call, @Nullable StoreMemory memory, long claimed, List<AppendRequest> batch)
      throws SQLException {
    var arguments = arguments(batch);
    call.setObject(1, memory == null ? null : memory.seen().epoch().toString(), Types.OTHER);
    call.setObject(2, memory == null ? null : Long.toString(memory.seen().position()), Types.OTHER);
    call.setObject(3, claimed == 0 ? null : Long.toString(claimed), Types.OTHER);
    var system = memory == null ? null : memory.system();
    call.setObject(4, system == null ? null : system.toString(), Types.OTHER);
    call.setObject(5, memory == null ? null : memory.timeline(), Types.OTHER);
    var epoch = conditionEpoch(batch);
    call.setObject(6, epoch == null ? null : epoch.toString(), Types.OTHER);
    var next = 7;
    for (var array : arguments.inOrder()) {
      call.setObject(next++, array.toString(), Types.OTHER);
    }
  }

  /** Epoch of the batch's conditions, which is one; null if there are none. */
  private static @Nullable UUID conditionEpoch(List<AppendRequest> batch) {
    // Those with a condition are last.
    var last = batch.isEmpty() ? null : batch.get(batch.size() - 1).condition();
    return last == null ? null : last.after().epoch();
  }

  private static Arguments arguments(List<AppendRequest> batch) throws SQLException {
    try {
      return new Arguments(batch);
    } catch (IllegalArgumentException unfit) {
      throw new SQLException(unfit.getMessage(), "22021", unfit);
    }
  }

  private static Answer answer(ResultSet row, boolean warned) throws SQLException {
    return new Answer(
        row.getObject(1, UUID.class),
        row.getLong(2),
        row.getInt(3),
        row.getObject(4, OffsetDateTime.class).toInstant(),
        refusals(row.getString(5)),
        Duration.ofNanos(row.getLong(6) * 1_000),
        row.getObject(7, Long.class),
        row.getString(8),
        warned);
  }

  private static List<Refusal> refusals(@Nullable String text) throws SQLException {
    if (text == null) {
      return List.of();
    }
    try {
      return Codec.read(Refusals.class, "{\"all\":" + text + "}").all();
    } catch (EventoException broken) {
      throw new SQLException("refusals not understood", "XX000", broken);
    }
  }

  /** The arrays, named as in the function. */
  private static final class Arguments {
    final ArrayLiteral cId;
    final ArrayLiteral cHash;
    final ArrayLiteral cDecision;
    final ArrayLiteral cKind;
    final ArrayLiteral cBody;
    final ArrayLiteral sCmd;
    final ArrayLiteral sStream;
    final ArrayLiteral sVersion;
    final ArrayLiteral sTip;
    final ArrayLiteral eS;
    final ArrayLiteral eContext;
    final ArrayLiteral eType;
    final ArrayLiteral eTags;
    final ArrayLiteral eMeta;
    final ArrayLiteral ePayload;
    final ArrayLiteral qCmd;
    final ArrayLiteral qTypes;
    final ArrayLiteral qTags;
    final ArrayLiteral qAfter;
    private int streams;

    Arguments(List<AppendRequest> batch) {
      var size = batch.size();
      cId = new ArrayLiteral(size * 38);
      cHash = new ArrayLiteral(size * 22);
      cDecision = new ArrayLiteral(size * 22);
      cKind = new ArrayLiteral(size * 3);
      cBody = new ArrayLiteral(size * 8);
      sCmd = new ArrayLiteral(size * 4);
      sStream = new ArrayLiteral(size * 50);
      sVersion = new ArrayLiteral(size * 6);
      sTip = new ArrayLiteral(size * 22);
      eS = new ArrayLiteral(size * 4);
      eContext = new ArrayLiteral(size * 12);
      eType = new ArrayLiteral(size * 24);
      eTags = new ArrayLiteral(size * 8);
      eMeta = new ArrayLiteral(size * 8);
      ePayload = new ArrayLiteral(size * 400);
      qCmd = new ArrayLiteral(8);
      qTypes = new ArrayLiteral(8);
      qTags = new ArrayLiteral(8);
      qAfter = new ArrayLiteral(8);
      for (var i = 0; i < size; i++) {
        add(i + 1, batch.get(i));
      }
    }

    private void add(int command, AppendRequest appendRequest) {
      cId.addPlain(appendRequest.commandId());
      cHash.add(appendRequest.hash());
      cDecision.add(appendRequest.decision());
      cKind.add(appendRequest.kind().code());
      cBody.add(appendRequest.body());
      for (var basis : appendRequest.bases()) {
        sCmd.add(command);
        sStream.add(basis.stream());
        sVersion.add(basis.tip().version());
        sTip.add(basis.tip().decision());
      }
      for (var event : appendRequest.events()) {
        eS.add(streams + event.basis() + 1);
        eContext.add(event.context());
        eType.add(event.type());
        eTags.add(array(event.tags()));
        eMeta.add(event.meta());
        ePayload.add(event.payload());
      }
      streams += appendRequest.bases().size();
      var appendCondition = appendRequest.condition();
      if (appendCondition != null) {
        for (var alternative : appendCondition.alternatives()) {
          qCmd.add(command);
          qTypes.add(alternative.types() == null ? null : array(alternative.types()));
          qTags.add(array(alternative.tags()));
          qAfter.add(appendCondition.after().position());
        }
      }
    }

    private static String array(List<String> elements) {
      if (elements.isEmpty()) {
        return "{}";
      }
      var literal = new ArrayLiteral(elements.size() * 24);
      elements.forEach(literal::add);
      return literal.toString();
    }

    List<ArrayLiteral> inOrder() {
      return List.of(
          cId, cHash, cDecision, cKind, cBody, sCmd, sStream, sVersion, sTip, eS, eContext, eType,
          eTags, eMeta, ePayload, qCmd, qTypes, qTags, qAfter);
    }
  }
}
