package io.evento.server.consumer.step;

import io.evento.protocol.Json;

/**
 * A saga as its row has it.
 *
 * @param born position of the event that started it; names this life of the key
 * @param position of the last event that had an effect on it
 * @param correlation of the flow that started it
 */
public record SagaState(
    String key,
    int slot,
    long born,
    long position,
    Json state,
    String correlation,
    boolean isEnded) {

  SagaState to(Json next) {
    return new SagaState(key, slot, born, position, next, correlation, isEnded);
  }

  SagaState at(long seen) {
    return new SagaState(key, slot, born, Math.max(position, seen), state, correlation, isEnded);
  }

  SagaState ended() {
    return new SagaState(key, slot, born, position, state, correlation, true);
  }
}
