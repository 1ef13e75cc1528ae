package io.evento.server.eventstore.append;

import java.sql.SQLException;

/** What a failed call of the append means for its commands. */
enum AppendFailure {
  /** The answer got lost: nobody knows whether they were stored. The call has to be repeated. */
  LOST,
  /** Nothing was stored, and the same call may succeed in a moment, on this connection. */
  BUSY,
  /** Nothing was stored, and the same call may succeed once the database is itself again. */
  UNFIT,
  /** Nothing was stored, and at least one of the commands can never be. */
  REFUSED;

  static AppendFailure of(SQLException failure) {
    var state = failure.getSQLState();
    if (state == null || state.length() != 5) {
      return LOST;
    }
    return switch (state) {
      // Gate not had in time, deadlock, serialization, statement_timeout: rolled back for certain.
      case "55P03", "40P01", "40001", "57014" -> BUSY;
      // Refused before anything was done: by a standby, or for a rule that this room must keep.
      case "25006", "25001", "0A000" -> UNFIT;
      default ->
          switch (state.substring(0, 2)) {
            case "22", "23", "54" -> REFUSED;
            // The connection, the session, the server, its disk.
            case "08", "25", "57", "58", "XX" -> LOST;
            // No resources, no schema or no rights (yet), and whatever else ended in a rollback.
            default -> UNFIT;
          };
    };
  }

  /** Whether the statement took longer than it may, and was rolled back for that. */
  static boolean isTooLong(SQLException failure) {
    return "57014".equals(failure.getSQLState());
  }
}
