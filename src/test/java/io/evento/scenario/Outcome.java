package io.evento.scenario;

/**
 * What became of a command for ever: events, or a refusal by a business rule.
 *
 * @param rejection the refusal's code, empty where events were stored
 * @param position of the last event, 0 without one
 * @param version of the aggregate afterwards, 0 for a refusal
 */
record Outcome(String rejection, long position, long version) {

  static Outcome stored(long position, long version) {
    return new Outcome("", position, version);
  }

  static Outcome rejected(String code) {
    return new Outcome(code, 0, 0);
  }

  boolean isStored() {
    return rejection.isEmpty();
  }
}
