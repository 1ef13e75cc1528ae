/** What operators ask about the integrity of the store. */
@NullMarked
package io.evento.server.console.verify;

import org.jspecify.annotations.NullMarked;
