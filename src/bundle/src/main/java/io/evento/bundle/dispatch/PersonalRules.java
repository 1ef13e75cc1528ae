package io.evento.bundle.dispatch;

import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.payload.PayloadType;
import io.evento.bundle.personal.Personal;
import io.evento.bundle.personal.PersonalValues.Part;

/** Where a payload may have personal components, by what it is used for. */
final class PersonalRules {
  private PersonalRules() {}

  /** A command is of the aggregate that it names. */
  static void checkCommand(PayloadType command) {
    if (command.idProperty() == null) {
      refuseAggregate(command, "this command has no @AggregateId");
    }
  }

  static void checkSagaState(PayloadType state) {
    refuseAggregate(state, "the state of a saga is of no aggregate");
  }

  static void checkBoundary(PayloadType event) {
    refuseAggregate(event, "the events of a boundary are of no aggregate");
  }

  private static void refuseAggregate(PayloadType payload, String because) {
    for (var part : payload.personal().parts()) {
      if (part.subject() == null) {
        throw new InvalidBundleException(
            part.pointer()
                + " of "
                + payload.name()
                + " cannot have the subject "
                + Personal.AGGREGATE
                + ", as "
                + because
                + ": name the component that holds the subject's id");
      }
    }
  }

  /** Questions are not kept, so nothing is gained, and the node has to compare them. */
  static void checkQuery(PayloadType query) {
    for (var part : query.personal().parts()) {
      throw new InvalidBundleException(
          part.pointer()
              + " of "
              + query.name()
              + " cannot be @Personal: a query is not kept, and told in the clear; take the"
              + " annotation away");
    }
  }

  /**
   * @param pointer to the saga's key in the event; empty for the aggregate's id
   */
  static void checkAssociation(PayloadType event, String pointer, String handler) {
    if (pointer.isEmpty()) {
      return;
    }
    var place = Part.steps(pointer);
    for (var part : event.personal().parts()) {
      if (part.covers(place)) {
        throw new InvalidBundleException(
            part.pointer()
                + " of "
                + event.name()
                + " cannot be @Personal: "
                + handler
                + " is associated by it, and what finds a saga is kept in the clear");
      }
    }
  }
}
