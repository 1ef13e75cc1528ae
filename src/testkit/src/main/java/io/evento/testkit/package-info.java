/**
 * Tests of a bundle without a server: what was given, what comes, what must follow.
 *
 * <pre>{@code
 * AggregateFixture.of(Account.class)
 *     .given(new AccountOpened("Ada", "Lovelace"), new MoneyDeposited(500, "salary"))
 *     .when(new Withdraw("a-1", 501, "rent"))
 *     .thenRejected("insufficient-funds", "balance", 500L);
 * }</pre>
 *
 * <p>Handlers are called by the very code of the SDK that calls them in a cluster, with payloads
 * that went through JSON, on the calling thread. What always holds:
 *
 * <ol>
 *   <li>Components are checked as at the start of a bundle, and refused with the same sentences.
 *   <li>Every payload that a test names is written as JSON and read back, and must be equal.
 *   <li>What a cluster may do again after a crash is done again here, and must come to the same.
 *   <li>There is no clock: times are given in, or count up from a fixed one.
 *   <li>A failure shows what was expected and what came as JSON.
 * </ol>
 *
 * <p>Fixtures are for one test and one thread. {@link Check} says how to leave one of these out.
 * Knows the SDK and nothing else; {@code .cluster} runs the same bundle against real nodes.
 */
@NullMarked
package io.evento.testkit;

import org.jspecify.annotations.NullMarked;
