/**
 * Makes a bundle of the CDI beans of a Jakarta EE application, on Payara and WildFly.
 *
 * <p>What always holds:
 *
 * <ol>
 *   <li>A component that cannot work fails the deployment, with a sentence that says what to do.
 *   <li>Each handler runs on a thread of the container, with an active request scope of its own.
 *   <li>With transactions of the container, the rows of a projector and its checkpoint are
 *       committed by one of them, whether the rows were written by JPA or by JDBC.
 *   <li>What a server does not have, such as MicroProfile Config or Health, is not missed.
 * </ol>
 *
 * <p>Start reading at {@link io.evento.cdi.EventoExtension}.
 */
@NullMarked
package io.evento.cdi;

import org.jspecify.annotations.NullMarked;
