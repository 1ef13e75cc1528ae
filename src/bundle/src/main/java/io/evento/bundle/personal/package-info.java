/**
 * What is personal in payloads, and the keys that it is read by. What always holds:
 *
 * <ol>
 *   <li>A value with {@link io.evento.bundle.personal.Personal} leaves the bundle encrypted by a
 *       key of its subject, or not at all.
 *   <li>A placeholder stands for the value of a subject that was erased, and for nothing else: a
 *       key that is missing for another reason is a failure.
 *   <li>The same value of the same subject at the same place is the same text: a repeat of a
 *       command is its repeat, and two versions of a consumer can be compared.
 * </ol>
 *
 * <p>Knows the protocol. Start reading at {@link io.evento.bundle.personal.PersonalValues}.
 */
@NullMarked
package io.evento.bundle.personal;

import org.jspecify.annotations.NullMarked;
