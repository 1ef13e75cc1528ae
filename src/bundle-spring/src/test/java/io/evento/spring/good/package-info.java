/** An application for tests. */
@NullMarked
package io.evento.spring.good;

import org.jspecify.annotations.NullMarked;
