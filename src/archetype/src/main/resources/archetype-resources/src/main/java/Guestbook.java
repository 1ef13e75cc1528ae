package ${package};

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;

/** Decides over one stream of events; a record, its own immutable state. */
@Aggregate(context = "guests")
public record Guestbook(String lastGuest) {
  public record SignGuestbook(@AggregateId String guestbook, String guest) {}

  public record GuestbookSigned(String guest) {}

  /** The state is null before the first event. */
  @CommandHandler
  static Decision<GuestbookSigned> sign(SignGuestbook command, Guestbook now) {
    return now != null && now.lastGuest().equals(command.guest())
        ? Decision.reject("just-signed", "guest", command.guest())
        : Decision.accept(new GuestbookSigned(command.guest()));
  }

  @EventSourcingHandler
  static Guestbook signed(GuestbookSigned event, Guestbook before) {
    return new Guestbook(event.guest());
  }
}
