package io.evento.server.consumer.step;

import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.delivery.Delivery;
import io.evento.server.consumer.segment.PoisonCandidates;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a segment's steps are about, one thing at a time: it is looked up, the session is asked, and
 * what the session decided is stored, before the next is begun. Confined to the delivery thread.
 */
final class StepExchange {
  private enum Stage {
    IDLE,
    /** What goes along is being looked up. */
    LOADING,
    /** The session has it. */
    ASKED,
    /** What the session decided, or fails on, is being stored. */
    STORING
  }

  private final Delivery delivery;
  private final StepWork work;
  private Stage stage = Stage.IDLE;
  private long number;
  private long askedAt;
  private @Nullable Consumer<StepMessage.Stepped> awaiting;

  StepExchange(Delivery delivery, StepWork work) {
    this.delivery = delivery;
    this.work = work;
  }

  boolean isIdle() {
    return stage == Stage.IDLE;
  }

  /**
   * Looks something up.
   *
   * @param reading answers nothing if another owner has the segment
   * @param failed runs instead if the database does not answer
   */
  <T> void load(Supplier<Optional<T>> reading, Consumer<T> then, Runnable failed) {
    stage = Stage.LOADING;
    work.once(delivery, reading, found -> goOn(found, then), failed);
  }

  /** Whether the session may be asked; something may have begun to be tried alone meanwhile. */
  boolean mayAsk() {
    return delivery.maySpeak(System.nanoTime()) && delivery.handover().mayHand(false);
  }

  /**
   * Asks the session.
   *
   * @param handed what it has with that
   * @param then is given its answer
   */
  void ask(StepBatch batch, PoisonCandidates handed, Consumer<StepMessage.Stepped> then) {
    stage = Stage.ASKED;
    awaiting = then;
    askedAt = System.nanoTime();
    delivery.handover().handed(handed);
    delivery.session().send(batch.message(delivery.lease(), ++number), Lane.REQUEST);
  }

  /** How long ago the session was asked, nanoseconds. */
  long askedFor() {
    return System.nanoTime() - askedAt;
  }

  /** The session has decided; what it says of an older question is dropped. */
  void answered(StepMessage.Stepped said) {
    var asker = awaiting;
    if (stage == Stage.ASKED && said.batch() == number && asker != null) {
      awaiting = null;
      delivery.handover().heard();
      delivery.handover().handed(PoisonCandidates.NONE);
      asker.accept(said);
    }
  }

  /**
   * Stores something; repeated until the database answers.
   *
   * @param write answers nothing if another owner has the segment
   */
  <T> void store(Supplier<Optional<T>> write, Consumer<T> then) {
    stage = Stage.STORING;
    work.untilDone(delivery, write, written -> goOn(written, then));
  }

  private <T> void goOn(Optional<T> result, Consumer<T> then) {
    delivery.ifOurs(result, then);
    if (result.isEmpty()) {
      idle();
    }
  }

  /** All is done: the next may begin. */
  void idle() {
    stage = Stage.IDLE;
    // The next thing waits for its turn, should something be tried here.
    delivery.handover().left();
    delivery.noteQuiet();
    delivery.ring();
  }
}
