/**
 * The server: one WAR, deployed on every node. Only what is true of every room stands here.
 *
 * <p>The rooms in layers, each may know those before it: {@code config}, {@code telemetry}, {@code
 * persistence} · {@code cluster}, {@code catalog} · {@code eventstore} · {@code routing} · {@code
 * aggregate}, {@code consumer} (not each other) · {@code gateway} · {@code console}. Where an arrow
 * must turn, the lower room declares the interface. Start reading at {@link
 *
 */
@NullMarked
package io.evento.server;

import org.jspecify.annotations.NullMarked;
