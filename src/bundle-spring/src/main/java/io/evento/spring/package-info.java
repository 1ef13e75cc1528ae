/**
 * Makes a bundle of the components of a Spring Boot application: finds them, checks them when the
 * context starts, connects them, and joins the application's transactions.
 *
 * <p>Start reading at {@link io.evento.spring.EventoAutoConfiguration}.
 */
@NullMarked
package io.evento.spring;

import org.jspecify.annotations.NullMarked;
