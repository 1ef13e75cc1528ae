/**
 * A node's life: the order of its start, and how it leaves without a failed command. Knows every
 * room; no room knows it. Start reading at {@link io.evento.server.node.NodeLifecycle}.
 */
@NullMarked
package io.evento.server.node;

import org.jspecify.annotations.NullMarked;
