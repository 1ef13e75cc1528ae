/**
 * Starts real processes, hurts them, and looks at them through public doors only; the database is
 * read to judge what was promised. What always holds:
 *
 * <ol>
 *   <li>One cluster serves all classes of a test run: three nodes, a balancer, the bank twice, on
 *       ports of its own, with its files under {@code target/scenario}.
 *   <li>Before each class everything runs and is ready, whatever the class before did.
 *   <li>Tests make their own accounts, so they neither see nor disturb each other's.
 * </ol>
 *
 * <p>Start reading at {@link io.evento.scenario.fixture.Cluster}.
 */
@NullMarked
package io.evento.scenario;

import org.jspecify.annotations.NullMarked;
