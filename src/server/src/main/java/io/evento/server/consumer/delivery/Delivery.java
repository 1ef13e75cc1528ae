package io.evento.server.consumer.delivery;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.routing.session.BundleSession;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One lease as it is delivered to one session: in which phase of its life it is, what was looked at
 * for it, and up to where all is done. How the session is given what waits is up to its {@link
 * Sender}. Confined to the delivery thread, but for what says otherwise.
 */
public final class Delivery {
  private enum Phase {
    /** Where it stands is being found out. */
    OPENING,
    /** The session knows; its first credit starts delivery. */
    ENABLED,
    /** Where the bundle's own checkpoint stands is being found out. */
    STARTING,
    RUNNING,
    /** Nothing more is sent; what is in flight may still be acknowledged. */
    DRAINING,
    ENDED
  }

  private final Lease lease;
  private final BundleSession session;
  private final Filter filter;
  private final SessionSignals signals = new SessionSignals();
  private final WatermarkListeners watermarkListeners = new WatermarkListeners();
  private final Backlog backlog = new Backlog();
  private final ParkedKeys parked = new ParkedKeys();
  private final GivenEvents given;
  private final Handover handover;
  private final Sender sender;

  private volatile Phase phase = Phase.OPENING;
  private volatile boolean quiet;
  private volatile boolean givenUp;
  private volatile boolean refused;
  private volatile boolean lostItsPlace;
  private volatile boolean isAlarmSet;
  private volatile long acked;
  private volatile @Nullable Failing distrust;
  private EventLoop.@Nullable Task serving;

  private StorePosition looked;
  private @Nullable UUID lookedCommand;
  private @Nullable Cursor cursor;
  private long toldUpTo;
  private long failingAt = Long.MAX_VALUE;

  /**
   * @param senders makes the sender of this delivery
   */
  public Delivery(
      Lease lease, BundleSession session, Filter filter, Function<Delivery, Sender> senders) {
    this.lease = lease;
    this.session = session;
    this.filter = filter;
    this.looked = lease.claimed().checkpoint();
    this.acked = looked.position();
    this.given = new GivenEvents(looked);
    this.handover = new Handover(lease, session, this::ring);
    this.sender = senders.apply(this);
  }

  // ---- for every thread

  public Lease lease() {
    return lease;
  }

  public BundleSession session() {
    return session;
  }

  public Filter filter() {
    return filter;
  }

  public Sender sender() {
    return sender;
  }

  /** What the session says of it is left here. */
  public SessionSignals signals() {
    return signals;
  }

  /** Whether nothing is in flight any more, after it was told to drain. */
  public boolean isQuiet() {
    return quiet;
  }

  /** Whether the bundle wants the segment no more. */
  public boolean isGivenUp() {
    return givenUp;
  }

  /** Whether the bundle would not have the segment at all, under this fence. */
  public boolean isRefused() {
    return refused;
  }

  public boolean isRunning() {
    return phase == Phase.RUNNING;
  }

  public boolean isEnded() {
    return phase == Phase.ENDED;
  }

  /**
   * Whether the segment has to be claimed anew: another node owns it, or the store has a new epoch,
   * so that where it stands has to be found out again.
   */
  public boolean hasLostItsPlace() {
    return lostItsPlace;
  }

  public void loseItsPlace() {
    lostItsPlace = true;
    ring();
  }

  /** Has it served soon, on the delivery thread. */
  public void ring() {
    var task = serving;
    if (task != null) {
      task.ring();
    }
  }

  /**
   * @return whether no alarm was set before; whoever set it rings when it goes off
   */
  boolean setAlarm() {
    var isFirst = !isAlarmSet;
    isAlarmSet = true;
    return isFirst;
  }

  void alarm() {
    isAlarmSet = false;
    ring();
  }

  /** All up to here was acknowledged, or stood so when the segment was claimed. */
  public long acked() {
    return acked;
  }

  /** Why the segment should be with another instance: this one lies, or says nothing of it. */
  @Nullable
  public Failing distrust() {
    return distrust;
  }

  /**
   * Gives the segment up for the bundle, so that another instance gets it, or the same anew under a
   * higher fence: whatever it still does or says under this one is refused.
   */
  public void distrust(Failing why) {
    distrust = why;
    givenUp = true;
  }

  /** How long the session has had something without a word about the segment; 0 if it has none. */
  public long silentNanos(long now) {
    return handover.silentNanos(now);
  }

  /** The session ended unasked: what it had of the segment is doubted. For the lease keeper. */
  public void doubtWhatWasHanded() {
    handover.doubt();
  }

  // ---- whether it may act

  /**
   * Whether the session may be given something. Whoever is fenced says nothing: not an owner that
   * no longer trusts its lease, as another node may have the segment by now; not one whose write
   * the database has refused; not one whose place the store has lost. Whatever is sent of a segment
   * asks here first, but for what a write under the fence has led to, and for the word that the
   * segment is over, which names the fence.
   *
   * @param now by {@link System#nanoTime}
   */
  public boolean maySpeak(long now) {
    return isActive() && lease.isTrusted(now);
  }

  /** Whether it runs, and is not known to have been fenced off. */
  public boolean isActive() {
    return phase == Phase.RUNNING && !lostItsPlace;
  }

  /**
   * Goes on after a write under the segment's fence. If the fence is over, the delivery has lost
   * its place, and nobody hears of what was to be written.
   *
   * @param written empty if another owner has the segment, so that nothing was written
   */
  public <T> void ifOurs(Optional<T> written, Consumer<T> then) {
    written.ifPresentOrElse(then, this::loseItsPlace);
  }

  // ---- its life

  /** Says how it is served; before anything else. */
  void servedBy(EventLoop.Task task) {
    serving = task;
  }

  boolean isOpening() {
    return phase == Phase.OPENING;
  }

  boolean awaitsCredit() {
    return phase == Phase.ENABLED;
  }

  boolean isStarting() {
    return phase == Phase.STARTING;
  }

  void starting() {
    phase = Phase.STARTING;
  }

  /** Tells the session that the segment is its own. */
  void enable(StorePosition at) {
    looked = at;
    acked = at.position();
    phase = Phase.ENABLED;
    var claimed = lease.claimed();
    session.send(
        new ConsumerMessage.Enable(
            lease.segment().consumer().wire(),
            lease.segment().number(),
            claimed.firstSlot(),
            claimed.lastSlot(),
            lease.fence(),
            at.epoch(),
            at.position(),
            claimed.resetFence()),
        Lane.REQUEST);
  }

  /** Starts from where the bundle stands. */
  void run(StorePosition from) {
    looked = from;
    lookedCommand = null;
    acked = from.position();
    toldUpTo = from.position();
    given.begin(from);
    phase = Phase.RUNNING;
    succeeded(acked);
  }

  void drain() {
    if (phase != Phase.ENDED) {
      phase = Phase.DRAINING;
      backlog.clear();
      noteQuiet();
    }
  }

  /** The bundle wants the segment no more. */
  void giveUp() {
    refused = phase == Phase.ENABLED;
    givenUp = true;
    drain();
    quiet = true;
  }

  void end() {
    phase = Phase.ENDED;
    quiet = true;
    backlog.clear();
    handover.end();
    // Which fence it names is what counts: a newer lease of the same instance is not meant.
    session.send(
        new ConsumerMessage.Disable(
            lease.segment().consumer().wire(), lease.segment().number(), lease.fence()),
        Lane.REQUEST);
  }

  /** It may have become quiet. */
  public void noteQuiet() {
    quiet |= phase == Phase.DRAINING && !sender.isBusy();
  }

  // ---- what is read for it

  /** Where it is read from; null while nothing is read for it. */
  @Nullable Cursor cursor() {
    return cursor;
  }

  void readBy(@Nullable Cursor reader) {
    cursor = reader;
  }

  /** Last position that was looked at for it. */
  public StorePosition looked() {
    return looked;
  }

  /** The command that wrote the event there; null if that is not known. */
  @Nullable
  public UUID lookedCommand() {
    return lookedCommand;
  }

  /** Whether more should be read for it. */
  boolean hasRoom() {
    return phase == Phase.RUNNING
        && looked.position() < lease.claimed().stopAt()
        && backlog.hasRoom();
  }

  /** Takes the next event of its slots. */
  void offer(RecordedEvent event) {
    if (event.position() <= lease.claimed().stopAt()) {
      backlog.add(event);
    }
  }

  /**
   * All up to here was looked at for it.
   *
   * @param command that wrote the event there
   */
  void looked(StorePosition upTo, @Nullable UUID command) {
    var stopAt = lease.claimed().stopAt();
    looked = upTo.position() <= stopAt ? upTo : upTo.at(stopAt);
    lookedCommand = upTo.position() <= stopAt ? command : null;
  }

  // ---- what its sender works with

  public Backlog backlog() {
    return backlog;
  }

  public ParkedKeys parked() {
    return parked;
  }

  public Handover handover() {
    return handover;
  }

  GivenEvents given() {
    return given;
  }

  /**
   * Takes what waits, for one message.
   *
   * @param most so many events at most
   * @param isHeld neither an event for which this is true is taken, nor what comes after it
   */
  public List<RecordedEvent> take(int most, Predicate<RecordedEvent> isHeld) {
    var taken = backlog.take(most, isHeld);
    given.add(taken);
    return taken;
  }

  /** Up to here the session was told of the segment, or all is stored. */
  public long toldUpTo() {
    return toldUpTo;
  }

  void told(long upTo) {
    toldUpTo = upTo;
  }

  /** All up to here is done, and the row knows it or will be told. */
  public void done(long position) {
    toldUpTo = Math.max(toldUpTo, position);
    acked = Math.max(acked, position);
    acquit(position);
  }

  /** All up to here was handled: it ended no session. */
  private void acquit(long position) {
    var doubts = lease.doubts();
    if (!doubts.isNone()) {
      lease.doubts(doubts.beyond(position));
    }
  }

  /** There is no room for dead letters: nothing is given until there is. */
  public void waitForRoom() {
    parked.full(true);
    lease.failing("waits for room: dead letters are full");
  }

  void foundRoom() {
    parked.full(false);
    lease.failing(null);
  }

  // ---- what the session says of it

  /**
   * The bundle has done everything up to a position.
   *
   * @return false if it means nothing here: of another epoch, or {@link #isBeyond more} than was
   *     sent
   */
  boolean landed(UUID epoch, long position) {
    if (!epoch.equals(looked.epoch()) || position > toldUpTo) {
      return false;
    }
    var command = sender.landed(position);
    acquit(position);
    if (position > acked) {
      acked = position;
      lease.reach(position, command);
    }
    succeeded(position);
    noteQuiet();
    return true;
  }

  private void succeeded(long position) {
    if (position >= failingAt) {
      failingAt = Long.MAX_VALUE;
      lease.failing(null);
    }
  }

  /** Whether an acknowledgement is of more than was sent. */
  boolean isBeyond(UUID epoch, long position) {
    return phase == Phase.RUNNING && epoch.equals(looked.epoch()) && position > toldUpTo;
  }

  /** The bundle fails on an event; a complaint that was overtaken by its success is none. */
  void failing(Failing what) {
    if (what.position() > acked) {
      failingAt = what.position();
      lease.failing(what.why());
    }
  }

  // ---- those who wait for it

  /** Those who wait for it to be somewhere. */
  WatermarkListeners watermarkListeners() {
    return watermarkListeners;
  }

  /** Tells those who wait that it is there. */
  void settle(long now) {
    watermarkListeners.settle(watermark(), key -> isUnparked(key, now));
  }

  /**
   * Whether it is certain that no event of a key is parked. Only the owner adds letters: while
   * nobody else can own the segment, all that there are were found when it was opened, or are this
   * delivery's own, and it knows of a letter from before that is written until after it is gone.
   */
  private boolean isUnparked(String key, long now) {
    return phase == Phase.RUNNING && lease.isTrusted(now) && !filter.steps() && !parked.holds(key);
  }

  /**
   * All events of its slots up to here took effect: what is not done is the next, and if nothing is
   * in flight, all that was looked at for it.
   */
  private StorePosition watermark() {
    // What was refused is neither in flight nor does it wait.
    if (!isActive()) {
      return looked.at(acked);
    }
    var inFlight = sender.firstInFlight();
    var next = backlog.first();
    var upTo = inFlight > 0 ? inFlight - 1 : next != null ? next.position() - 1 : looked.position();
    return looked.at(Math.max(acked, upTo));
  }
}
