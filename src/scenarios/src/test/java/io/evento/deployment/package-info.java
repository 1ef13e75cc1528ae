/** Holds the files for operators to what they name: scripts, ports, roles and paths. */
@NullMarked
package io.evento.deployment;

import org.jspecify.annotations.NullMarked;
