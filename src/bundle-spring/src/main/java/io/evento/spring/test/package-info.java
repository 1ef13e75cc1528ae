/** Tests of components in a Spring context, without a cluster. Start at {@link EventoTest}. */
@NullMarked
package io.evento.spring.test;

import org.jspecify.annotations.NullMarked;
