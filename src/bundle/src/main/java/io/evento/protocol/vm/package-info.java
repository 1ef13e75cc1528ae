/**
 * The link between a bundle and a node that live in one JVM: the same text frames, without a
 * socket.
 *
 * <p>What always holds:
 *
 * <ol>
 *   <li>Only types of the JDK pass from one side to the other, as each has this package by a class
 *       loader of its own.
 *   <li>Each side reads on threads of its own. What one calls of the other does no more than leave
 *       a task there, or take text from a queue.
 *   <li>One frame is under way in each direction, until it was read: a slow reader has nothing pile
 *       up but in the bounded queue of the other's writer.
 *   <li>After the end neither side holds anything of the other.
 * </ol>
 *
 * <p>Knows the protocol's writer and nobody else. Start reading at {@link
 * io.evento.protocol.vm.VmEnd}.
 */
@NullMarked
package io.evento.protocol.vm;

import org.jspecify.annotations.NullMarked;
