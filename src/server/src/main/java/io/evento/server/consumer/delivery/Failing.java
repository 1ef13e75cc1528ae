package io.evento.server.consumer.delivery;

/**
 * Why a segment does not get on.
 *
 * @param position of the first event that is not done; whoever is beyond it gets on again
 * @param why in a sentence, for operators
 */
public record Failing(long position, String why) {}
