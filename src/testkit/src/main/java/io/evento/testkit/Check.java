package io.evento.testkit;

/** What a fixture checks without being asked, unless it is told {@code without} it. */
public enum Check {
  /** Payloads and states are the same after they were written as JSON and read back. */
  ROUND_TRIP,

  /**
   * What may run again after a crash comes to the same: a decision on the same state, an event that
   * is delivered twice, a service's command under the same id.
   */
  REPEAT
}
