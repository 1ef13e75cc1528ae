package seats

import io.evento.bundle.api.Aggregate
import io.evento.bundle.api.AggregateId
import io.evento.bundle.api.CommandHandler
import io.evento.bundle.api.Decision
import io.evento.bundle.api.EventSourcingHandler

@JvmRecord
data class TakeSeat(@AggregateId val seat: String, val by: String, val note: String?)

@JvmRecord
data class LeaveSeat(@AggregateId val seat: String, val by: String)

@JvmRecord
data class SeatTaken(val by: String, val note: String?)

@JvmRecord
data class SeatLeft(val by: String)

@Aggregate
@JvmRecord
data class Seat(val by: String?) {
  @CommandHandler
  fun leave(command: LeaveSeat): Decision<SeatLeft> =
    if (by == command.by) Decision.accept(SeatLeft(command.by)) else Decision.reject("not-yours")

  @EventSourcingHandler
  fun left(event: SeatLeft): Seat = copy(by = null)

  companion object {
    @JvmStatic
    @CommandHandler
    fun take(command: TakeSeat): SeatTaken = SeatTaken(command.by, command.note)

    @JvmStatic
    @EventSourcingHandler
    fun taken(event: SeatTaken): Seat = Seat(event.by)
  }
}

/** Not a record: it has no @JvmRecord. */
data class TakePlain(@AggregateId val seat: String)

@Aggregate
@JvmRecord
data class OfPlainCommands(val by: String) {
  companion object {
    @JvmStatic
    @CommandHandler
    fun take(command: TakePlain): SeatTaken = SeatTaken("nobody", null)

    @JvmStatic
    @EventSourcingHandler
    fun taken(event: SeatTaken): OfPlainCommands = OfPlainCommands(event.by)
  }
}

@Aggregate
data class Plain(val by: String) {
  companion object {
    @JvmStatic
    @CommandHandler
    fun take(command: TakeSeat): SeatTaken = SeatTaken(command.by, command.note)

    @JvmStatic
    @EventSourcingHandler
    fun taken(event: SeatTaken): Plain = Plain(event.by)
  }
}

/** Its creating handler is in the companion alone, where nobody looks. */
@Aggregate
@JvmRecord
data class WithoutStatic(val by: String) {
  companion object {
    @CommandHandler
    fun take(command: TakeSeat): SeatTaken = SeatTaken(command.by, command.note)
  }

  @EventSourcingHandler
  fun taken(event: SeatTaken): WithoutStatic = WithoutStatic(event.by)
}
