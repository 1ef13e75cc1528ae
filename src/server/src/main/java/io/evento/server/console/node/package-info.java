/** What operators do to nodes: they drain one, and have it back. */
@NullMarked
package io.evento.server.console.node;

import org.jspecify.annotations.NullMarked;
