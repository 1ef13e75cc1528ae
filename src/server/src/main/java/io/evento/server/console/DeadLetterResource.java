package io.evento.server.console;

import io.evento.protocol.Codec;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.deadletter.DeadLetterRow;
import io.evento.server.consumer.operation.DeadLetters;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.security.Access;
import io.evento.server.security.Needs;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.io.IOException;
import java.io.InputStream;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** The dead letters of a consumer: what it failed on, and what waits behind that. */
@NodeScoped
@SuppressWarnings("NullAway.Init") // filled by JAX-RS
@Path("consumers/{name}/{version}/dead-letters")
@Produces(MediaType.APPLICATION_JSON)
@Consumes({MediaType.APPLICATION_JSON, MediaType.WILDCARD})
public class DeadLetterResource {
  /** What an edit has beside its payload. */
  private static final int EDIT_BYTES_BESIDE = 4_096;

  @Context private SecurityContext security;
  @Inject private AdminCalls adminCalls;
  @Inject private EntityManagers managers;
  @Inject private DeadLetters letters;
  @Inject private OrderReader reader;
  @Inject private Settings settings;

  /**
   * @param kind {@code event}, or of a saga {@code outcome} or {@code deadline}
   * @param key whose order is kept: of a saga its association's value, else the stream
   * @param position of the event; 0 for what is none, which stands before all events of its key
   * @param type of the event, or of the command that had the outcome; of a deadline its name
   * @param attempts that failed; 0 for what waits behind another letter of its key
   * @param group of causes; absent for what waits
   * @param retryAt when it is to be tried again; absent if nobody asked
   * @param event with its payload; absent in lists, and where the store has lost it
   * @param outcome with its command; absent in lists
   * @param deadline absent in lists
   * @param payloadText the event's payload as the store has it: who reads it as JSON may lose
   *     digits of numbers; absent in lists
   * @param editedText payload that it is tried with instead of that, as it was given; absent in
   *     lists
   * @param editedAt absent if nobody edited it
   * @param editedBy absent in lists
   * @param editReason absent in lists
   */
  record LetterView(
      String id,
      String kind,
      String key,
      long position,
      String type,
      int slot,
      String parkedAt,
      @Nullable String failedAt,
      int attempts,
      @Nullable String group,
      @Nullable String cause,
      @Nullable String retryAt,
      @Nullable RecordedEvent event,
      OutboxResource.@Nullable CommandView outcome,
      SagaResource.@Nullable DeadlineView deadline,
      @Nullable String payloadText,
      @Nullable String editedText,
      @Nullable String editedAt,
      @Nullable String editedBy,
      @Nullable String editReason) {
    static LetterView of(DeadLetterRow row) {
      return of(row, null, null, null, null, false);
    }

    static LetterView of(
        DeadLetterRow row,
        @Nullable RecordedEvent event,
        OutboxResource.@Nullable CommandView outcome,
        SagaResource.@Nullable DeadlineView deadline,
        @Nullable String editedText,
        boolean isInFull) {
      return new LetterView(
          row.id().toString(),
          row.kind(),
          row.sequenceKey(),
          row.position(),
          row.type(),
          row.slot(),
          AdminCalls.time(row.parkedAt()),
          time(row.failedAt()),
          row.attempts(),
          row.causeGroup(),
          row.cause(),
          time(row.retryAt()),
          event,
          outcome,
          deadline,
          event == null ? null : event.payload().text(),
          editedText,
          time(row.editedAt()),
          isInFull ? row.editedBy() : null,
          isInFull ? row.editReason() : null);
    }

    private static @Nullable String time(@Nullable OffsetDateTime at) {
      return at == null ? null : AdminCalls.time(at);
    }
  }

  /**
   * @param next the {@code after} of the next page; absent at the end
   */
  record LettersView(List<LetterView> deadLetters, @Nullable String next) {}

  /**
   * Where a page ends: a position and a key, as what is no event has position 0 once per key.
   *
   * @param key null if all keys of the position are before it
   */
  record Place(long position, @Nullable String key) {
    static final Place BEGINNING = new Place(-1, null);

    static Place of(String text) {
      var slash = text.indexOf('/');
      try {
        return slash < 0
            ? new Place(Long.parseLong(text), null)
            : new Place(Long.parseLong(text.substring(0, slash)), text.substring(slash + 1));
      } catch (NumberFormatException malformed) {
        throw EventoException.invalid("after", "must be what next of the page before said");
      }
    }

    static Place of(DeadLetterRow row) {
      return new Place(row.position(), row.sequenceKey());
    }

    String text() {
      return position + "/" + key;
    }
  }

  record GroupView(String group, long failed, long firstPosition, long lastPosition) {}

  record GroupsView(List<GroupView> groups, long waiting) {}

  /**
   * @param group of causes; null for all
   * @param perSecond at most so many begin; null or 0 for no limit
   */
  record Retry(@Nullable String group, @Nullable Double perSecond, @Nullable String reason) {}

  /**
   * @param payload that the letter is tried with
   */
  record Edit(@Nullable Json payload, @Nullable String reason) {}

  record Drop(@Nullable String group, @Nullable String reason) {}

  /**
   * In order of positions and keys.
   *
   * @param after what {@code next} of the page before said, or a position
   */
  @GET
  @Needs(Access.VIEW)
  public CompletionStage<byte[]> list(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @QueryParam("after") @Nullable String after,
      @QueryParam("limit") @DefaultValue("100") int limit,
      @QueryParam("key") @Nullable String key,
      @QueryParam("group") @Nullable String group) {
    OperationRequest.checkLimit(limit);
    var from = after == null ? Place.BEGINNING : Place.of(after);
    var wanted = new Wanted(name, version, key, group);
    return adminCalls.view(() -> managers.read(manager -> page(manager, wanted, from, limit)));
  }

  /**
   * Which letters a page shows.
   *
   * @param key only of this one; null for all
   * @param group only of this one; null for all
   */
  record Wanted(String name, int version, @Nullable String key, @Nullable String group) {}

  static LettersView page(EntityManager manager, Wanted wanted, Place from, int limit) {
    var rows =
        manager
            .createQuery(
                "select d from DeadLetterRow d where d.name = :name and d.version = :version"
                    + " and d.droppedAt is null and (d.position > :position or (d.position = :position"
                    + " and :withKey = true and d.sequenceKey > :after))"
                    + " and (:anyKey = true or d.sequenceKey = :key)"
                    + " and (:anyGroup = true or d.causeGroup = :group)"
                    + " order by d.position, d.sequenceKey",
                DeadLetterRow.class)
            .setParameter("name", wanted.name())
            .setParameter("version", wanted.version())
            .setParameter("position", from.position())
            .setParameter("withKey", from.key() != null)
            .setParameter("after", from.key() == null ? "" : from.key())
            .setParameter("anyKey", wanted.key() == null)
            .setParameter("key", wanted.key() == null ? "" : wanted.key())
            .setParameter("anyGroup", wanted.group() == null)
            .setParameter("group", wanted.group() == null ? "" : wanted.group())
            .setMaxResults(limit)
            .getResultList();
    return new LettersView(
        rows.stream().map(LetterView::of).toList(),
        rows.size() < limit ? null : Place.of(rows.get(rows.size() - 1)).text());
  }

  /** How many failed for which kind of cause. */
  @GET
  @Needs(Access.VIEW)
  @Path("groups")
  public CompletionStage<byte[]> groups(
      @PathParam("name") String name, @PathParam("version") int version) {
    return adminCalls.view(
        () ->
            managers.read(
                manager -> {
                  var groups =
                      manager
                          .createQuery(
                              "select d.causeGroup, count(d), min(d.position), max(d.position)"
                                  + " from DeadLetterRow d where d.name = :name"
                                  + " and d.version = :version and d.causeGroup is not null"
                                  + " and d.droppedAt is null"
                                  + " group by d.causeGroup order by d.causeGroup",
                              Object[].class)
                          .setParameter("name", name)
                          .setParameter("version", version)
                          .getResultList()
                          .stream()
                          .map(
                              row ->
                                  new GroupView(
                                      (String) row[0], (Long) row[1], (Long) row[2], (Long) row[3]))
                          .toList();
                  var waiting =
                      manager
                          .createQuery(
                              "select count(d) from DeadLetterRow d where d.name = :name"
                                  + " and d.version = :version and d.causeGroup is null"
                                  + " and d.droppedAt is null",
                              Long.class)
                          .setParameter("name", name)
                          .setParameter("version", version)
                          .getSingleResult();
                  return new GroupsView(groups, waiting);
                }));
  }

  /** One, with its event, outcome or deadline. */
  @GET
  @Needs(Access.OPERATE)
  @Path("{id}")
  public CompletionStage<byte[]> one(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @PathParam("id") String id) {
    var wanted = id(id);
    return adminCalls.view(
        () ->
            managers.read(
                manager -> inFull(manager, reader, letters::edited, name, version, wanted)));
  }

  static LetterView inFull(
      EntityManager manager,
      OrderReader reader,
      BiFunction<UUID, OffsetDateTime, Optional<String>> edits,
      String name,
      int version,
      UUID id) {
    var row = manager.find(DeadLetterRow.class, id);
    if (row == null
        || !row.name().equals(name)
        || row.version() != version
        || row.droppedAt() != null) {
      throw new EventoException(ErrorCode.NOT_FOUND, "there is no such dead letter");
    }
    return switch (row.kind()) {
      case "outcome" -> LetterView.of(row, null, command(manager, row), null, null, true);
      case "deadline" -> LetterView.of(row, null, null, deadline(manager, row), null, true);
      default -> {
        var event =
            reader
                .next(row.position() - 1)
                .filter(found -> found.commandId().equals(row.commandId()));
        var edited =
            row.editedAt() == null ? null : edits.apply(row.id(), row.editedAt()).orElse(null);
        yield LetterView.of(row, event.orElse(null), null, null, edited, true);
      }
    };
  }

  private static SagaResource.@Nullable DeadlineView deadline(
      EntityManager manager, DeadLetterRow row) {
    return manager
        .createQuery(
            "select "
                + SagaResource.DeadlineView.OF_ROW
                + " from ScheduledMessageRow m where m.id = :id",
            SagaResource.DeadlineView.class)
        .setParameter("id", row.commandId())
        .getResultStream()
        .findFirst()
        .orElse(null);
  }

  /**
   * The version's own: what the live one sent is in the outbox, and what a shadow decided about the
   * same is held under the same id.
   */
  private static OutboxResource.@Nullable CommandView command(
      EntityManager manager, DeadLetterRow row) {
    return command(
            manager,
            row,
            OutboxResource.CommandView.OF_SENT
                + " from ConsumerCommandRow c"
                + " where c.id = :id and c.name = :name and c.version = :version")
        .or(
            () ->
                command(
                    manager,
                    row,
                    OutboxResource.CommandView.OF_HELD
                        + " from ShadowCommandRow s"
                        + " where s.id = :id and s.name = :name and s.version = :version"))
        .orElse(null);
  }

  private static Optional<OutboxResource.CommandView> command(
      EntityManager manager, DeadLetterRow row, String selected) {
    return manager
        .createQuery("select " + selected, OutboxResource.CommandView.class)
        .setParameter("id", row.commandId())
        .setParameter("name", row.name())
        .setParameter("version", row.version())
        .getResultStream()
        .findFirst();
  }

  /** Tries one again, and the older ones of its key before it. */
  @POST
  @Needs(Access.OPERATE)
  @Path("{id}/retry")
  public CompletionStage<byte[]> retryOne(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @PathParam("id") String id,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    var retry = OperationRequest.body(Retry.class, body);
    var asked = OperationRequest.of(security, name, version, null, retry.reason(), dryRun);
    var chosen = new DeadLetters.Chosen(id(id), null);
    return adminCalls.answer(() -> letters.retry(asked, chosen, 0));
  }

  /** Tries all again, or those of a group: {@code {"group":"…","perSecond":10}}. */
  @POST
  @Needs(Access.OPERATE)
  @Path("retry")
  public CompletionStage<byte[]> retry(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    var retry = OperationRequest.body(Retry.class, body);
    var asked = OperationRequest.of(security, name, version, null, retry.reason(), dryRun);
    var chosen = new DeadLetters.Chosen(null, retry.group());
    var perSecond = retry.perSecond() == null ? 0 : retry.perSecond();
    return adminCalls.answer(() -> letters.retry(asked, chosen, perSecond));
  }

  /**
   * Has one tried with another payload than its event's: {@code {"payload":{…},"reason":"…"}}. It
   * is not tried by this.
   */
  @POST
  @Needs(Access.OPERATE)
  @Path("{id}/edit")
  public CompletionStage<byte[]> edit(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @PathParam("id") String id,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    var bytesMax = settings.get(Setting.PAYLOAD_BYTES_MAX) + EDIT_BYTES_BESIDE;
    var edit = Codec.readBody(Edit.class, OperationRequest.json(body, bytesMax));
    var payload = edit.payload();
    if (payload == null) {
      throw EventoException.invalid("/payload", "is required");
    }
    var asked = OperationRequest.of(security, name, version, null, edit.reason(), dryRun);
    var letter = id(id);
    return adminCalls.answer(() -> letters.edit(asked, letter, payload));
  }

  /**
   * Has one tried with its event's own payload again. The reason is in the address: Payara takes no
   * body with a DELETE.
   */
  @DELETE
  @Needs(Access.OPERATE)
  @Path("{id}/edit")
  public CompletionStage<byte[]> forgetEdit(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @PathParam("id") String id,
      @QueryParam("reason") @Nullable String reason,
      @QueryParam("dryRun") @Nullable String dryRun) {
    var asked = OperationRequest.of(security, name, version, null, reason, dryRun);
    var letter = id(id);
    return adminCalls.answer(() -> letters.forgetEdit(asked, letter));
  }

  /** Gives one up: {@code {"reason":"…"}}. */
  @POST
  @Needs(Access.OPERATE)
  @Path("{id}/drop")
  public CompletionStage<byte[]> dropOne(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @PathParam("id") String id,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    var drop = OperationRequest.body(Drop.class, body);
    var asked = OperationRequest.of(security, name, version, null, drop.reason(), dryRun);
    var chosen = new DeadLetters.Chosen(id(id), null);
    return adminCalls.answer(() -> letters.drop(asked, chosen));
  }

  /** Gives a group up: {@code {"group":"…","reason":"…"}}. */
  @POST
  @Needs(Access.OPERATE)
  @Path("drop")
  public CompletionStage<byte[]> drop(
      @PathParam("name") String name,
      @PathParam("version") int version,
      @QueryParam("dryRun") @Nullable String dryRun,
      InputStream body)
      throws IOException {
    var drop = OperationRequest.body(Drop.class, body);
    var asked = OperationRequest.of(security, name, version, null, drop.reason(), dryRun);
    var chosen = new DeadLetters.Chosen(null, drop.group());
    return adminCalls.answer(() -> letters.drop(asked, chosen));
  }

  private static UUID id(String text) {
    try {
      return UUID.fromString(text);
    } catch (IllegalArgumentException malformed) {
      throw new EventoException(ErrorCode.NOT_FOUND, "there is no such dead letter");
    }
  }
}
