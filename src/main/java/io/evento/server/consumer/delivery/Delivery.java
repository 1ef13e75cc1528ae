package io.evento.server.consumer.delivery;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.PoisonCandidates;
import io.evento.server.consumer.segment.Slots;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.routing.session.SessionInFlight;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One lease as it is delivered to one session: what waits for credit, what is in flight, and what
 * was acknowledged.
 *
 * <p>Its memory is bounded: it asks for no more once a few hundred events wait, and nothing is sent
 * beyond the bundle's credit or a mebibyte that is not acknowledged. Confined to the delivery
 * thread, but for what says otherwise.
 */
public class Delivery {
  /** A message ends at so many events … */
  static final int MESSAGE_EVENTS_MAX = 64;

  /** … or so many bytes, whatever comes first; one larger event goes alone. */
  static final int MESSAGE_BYTES_MAX = 32 << 10;

  /** A segment that gets nothing is moved on after so many positions … */
  static final int SILENT_POSITIONS_MAX = 1_000;

  /** … or so long. */
  static final long SILENT_NANOS_MAX = 200_000_000L;

  /**
   * While so many messages are not acknowledged, events wait until they fill one: the bundle has
   * one at work and one to go on with, and what comes meanwhile shares a frame, a transaction and
   * an acknowledgement. So messages grow with the load by themselves, and none waits for company.
   */
  static final int MESSAGES_ENOUGH = 2;

  private static final int WAITING_EVENTS_ENOUGH = 256;
  private static final int WAITING_BYTES_ENOUGH = 256 << 10;
  private static final int FLIGHT_BYTES_MAX = 1 << 20;

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
  private final SessionSignals sessionSignals = new SessionSignals();
  private final WatermarkListeners watermarkListeners = new WatermarkListeners();

  private volatile Phase phase = Phase.OPENING;
  private volatile boolean quiet;
  private volatile boolean givenUp;
  private volatile boolean refused;
  private volatile boolean lostItsPlace;
  private volatile long acked;
  private volatile boolean isAlarmSet;
  private volatile PoisonCandidates handed = PoisonCandidates.NONE;
  private volatile boolean awaitsOpening;
  private volatile long heardAt = System.nanoTime();
  private volatile @Nullable String distrust;
  private boolean isDoubted;
  private boolean isInCustody;
  private EventLoop.@Nullable Turn turn;

  private final ArrayDeque<RecordedEvent> waiting = new ArrayDeque<>();
  private final InFlight inFlight = new InFlight();
  private final ParkedKeys parked = new ParkedKeys();
  private long waitingBytes;
  private int credit;
  private StorePosition looked;
  private @Nullable UUID lookedCommand;
  private @Nullable Cursor cursor;
  private long sentUpTo;
  private long sentAt;
  private Sent sent;
  private @Nullable Sent sentBefore;
  private boolean keepsCheckpoint;
  private @Nullable StorePosition lostAt;
  private long failingAt = Long.MAX_VALUE;

  public Delivery(Lease lease, BundleSession session, Filter filter) {
    this.lease = lease;
    this.session = session;
    this.filter = filter;
    this.looked = lease.claimed().checkpoint();
    this.acked = looked.position();
    this.sent = new Sent(looked);
  }

  // ---- for every thread

  public Lease lease() {
    return lease;
  }

  public BundleSession session() {
    return session;
  }

  public SessionSignals mail() {
    return sessionSignals;
  }

  /** Whether what its events lead to is stored with its checkpoint, in this database. */
  public boolean storesEffects() {
    return false;
  }

  /** An outcome or a deadline may wait for this segment. */
  public void ringInbox() {}

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

  /** Whether the store has a new epoch, so that where it stands has to be found out anew. */
  public boolean hasLostItsPlace() {
    return lostItsPlace;
  }

  public void loseItsPlace() {
    lostItsPlace = true;
    ring();
  }

  /** Has it served soon, on the delivery thread. */
  public void ring() {
    var served = turn;
    if (served != null) {
      served.ring();
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
  public String distrust() {
    return distrust;
  }

  /**
   * Gives the segment up for the bundle, so that another instance gets it, or the same anew under a
   * higher fence: whatever it still does or says under this one is refused.
   */
  public void distrust(String why) {
    distrust = why;
    givenUp = true;
  }

  /** How long the session has had something without a word about the segment; 0 if it has none. */
  public long silentNanos(long now) {
    return handed.isNone() ? 0 : now - heardAt;
  }

  /** The session said something of it. */
  public void heard() {
    heardAt = System.nanoTime();
  }

  /** What the session has, and has said nothing of. */
  PoisonCandidates handed() {
    return handed;
  }

  /**
   * Its session ended unasked: what that had is doubted. Once, though whoever notes it may have to
   * begin again. For the lease keeper.
   */
  public void doubtWhatWasHanded() {
    if (isDoubted) {
      return;
    }
    isDoubted = true;
    lease.doubts(lease.doubts().ended(handed, session.endedAloneWith(this)));
  }

  // ---- for the delivery thread

  /** Notes what the session has now, for whoever looks at its end. */
  public void handed(PoisonCandidates now) {
    if (handed.isNone()) {
      heard();
    }
    handed = now;
    if (now.isNone() == isInCustody) {
      isInCustody = !isInCustody;
      if (isInCustody) {
        session.custody().entered(this);
      } else {
        session.custody().left(this);
      }
    }
  }

  private void noteHanded() {
    var letter = parked.retrying();
    var first = inFlight.first();
    if (first == 0 && letter == null && !isInCustody) {
      return;
    }
    handed(
        PoisonCandidates.of(
            first, inFlight.last(), letter == null ? Set.of() : Set.of(letter.id())));
  }

  /**
   * Whether something of this segment may be given to the session now. What is doubted goes after
   * all else of it, and is tried alone if two sessions ended with it; then, and while others are
   * tried there, this is served again when its turn comes.
   */
  public boolean mayHand(boolean isDoubted) {
    var sessionInFlight = session.custody();
    if (isDoubted && lease.doubts().callForTrial()) {
      if (!sessionInFlight.isTried(this)) {
        if (!sessionInFlight.alone(this, this::ring)) {
          awaitOpening(sessionInFlight);
        }
      }
      return sessionInFlight.isTried(this);
    }
    if (!sessionInFlight.isClosedTo(this)) {
      return true;
    }
    awaitOpening(sessionInFlight);
    return false;
  }

  private void awaitOpening(SessionInFlight sessionInFlight) {
    if (!awaitsOpening) {
      awaitsOpening = true;
      sessionInFlight.onceOpen(this::opened);
    }
  }

  private void opened() {
    awaitsOpening = false;
    ring();
  }

  /** Whether nothing of it is with the session. */
  boolean hasHandedNothing() {
    return inFlight.first() == 0 && parked.retrying() == null;
  }

  /**
   * Whether a letter may be given to the session: a doubted one if nothing else of this is there,
   * any other unless something doubted is, or is being tried.
   */
  boolean mayHandLetter(boolean isDoubted) {
    var isInTheWay =
        isDoubted ? !hasHandedNothing() : isOnTrial() || lease.doubts().covers(inFlight.first());
    return !isInTheWay && mayHand(isDoubted);
  }

  /** Whether the session is to be given nothing but what is doubted here. */
  boolean isOnTrial() {
    return session.custody().isTried(this);
  }

  /**
   * Whether a doubted letter comes next, be it that it is yet to be read: events that go on being
   * sent would keep it from ever being alone.
   */
  private boolean isLettersTurn() {
    var doubted = lease.doubts().ids();
    return !doubted.isEmpty()
        && parked.isDue()
        && (parked.queue().isEmpty()
            || parked.queue().stream().anyMatch(found -> doubted.contains(found.letter().id())));
  }

  /** Whether the next event ended enough sessions: it is parked instead of being sent. */
  boolean isNextProven() {
    var next = waiting.peek();
    return next != null && lease.doubts().areProven() && lease.doubts().covers(next.position());
  }

  /** That event. */
  DeadLetter provenLetter() {
    return DeadLetter.of(waiting.element());
  }

  /**
   * Whether what the session has, or is to be given next, is doubted: then it has one at a time.
   */
  private boolean goesAlone() {
    var poisonCandidates = lease.doubts();
    return !poisonCandidates.isNone()
        && (poisonCandidates.covers(inFlight.first())
            || poisonCandidates.covers(waiting.element().position())
            || isRetryingDoubted());
  }

  private boolean isRetryingDoubted() {
    var letter = parked.retrying();
    return letter != null && lease.doubts().covers(letter.id());
  }

  /** A letter was given to the session, or this has said what became of it. */
  void noteLetter() {
    noteHanded();
  }

  /** Says how it is served; before anything else. */
  void servedBy(EventLoop.Turn how) {
    turn = how;
  }

  boolean isOpening() {
    return phase == Phase.OPENING;
  }

  boolean awaitsCredit() {
    return phase == Phase.ENABLED;
  }

  public ParkedKeys parked() {
    return parked;
  }

  boolean isStarting() {
    return phase == Phase.STARTING;
  }

  void starting() {
    phase = Phase.STARTING;
  }

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

  public Filter filter() {
    return filter;
  }

  public boolean isRunning() {
    return phase == Phase.RUNNING;
  }

  public boolean isEnded() {
    return phase == Phase.ENDED;
  }

  boolean accepts(RecordedEvent event) {
    return filter.accepts(event);
  }

  /** What was given to the session; to be read by others once it has ended. */
  Sent sent() {
    return sent;
  }

  /** What was given to the session before this one, if it was so here; before anything else. */
  void before(@Nullable Sent given, boolean keepsCheckpoint) {
    sentBefore = given;
    this.keepsCheckpoint = keepsCheckpoint;
  }

  /** Whether the bundle's own checkpoint, or the segment's row, tells what became of the events. */
  boolean keepsCheckpoint() {
    return keepsCheckpoint;
  }

  void keepsCheckpoint(boolean told) {
    keepsCheckpoint = told;
  }

  @Nullable Sent sentBefore() {
    return sentBefore;
  }

  /** The segment's row stood there, where the store has nothing, or something else, by now. */
  void lost(StorePosition at) {
    lostAt = at;
  }

  @Nullable StorePosition lostAt() {
    return lostAt;
  }

  /** Tells the session that the segment is its own. */
  void enable(StorePosition at) {
    looked = at;
    acked = at.position();
    phase = Phase.ENABLED;
    var given = lease.claimed();
    session.send(
        new ConsumerMessage.Enable(
            lease.segment().consumer().wire(),
            lease.segment().number(),
            given.firstSlot(),
            given.lastSlot(),
            lease.fence(),
            at.epoch(),
            at.position(),
            given.resetFence()),
        Lane.REQUEST);
  }

  /** Starts from where the bundle stands. */
  void run(StorePosition from) {
    looked = from;
    acked = from.position();
    sentUpTo = from.position();
    lookedCommand = null;
    sent = new Sent(from);
    phase = Phase.RUNNING;
  }

  void grant(int events) {
    credit += events;
  }

  /** Those who wait for it to be somewhere. */
  WatermarkListeners seen() {
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
   * All events of its slots up to here took effect: what is not acknowledged is the next, and if
   * nothing is out, all that was looked at for it.
   */
  StorePosition watermark() {
    if (phase != Phase.RUNNING) {
      return looked.at(acked);
    }
    var out = inFlight.first();
    var next = waiting.peek();
    var upTo = out > 0 ? out - 1 : next != null ? next.position() - 1 : looked.position();
    return looked.at(Math.max(acked, upTo));
  }

  /** Whether more should be read for it. */
  boolean hasRoom() {
    return phase == Phase.RUNNING
        && looked.position() < lease.claimed().stopAt()
        && waiting.size() < WAITING_EVENTS_ENOUGH
        && waitingBytes < WAITING_BYTES_ENOUGH;
  }

  /** Takes the next event of its slots. */
  void offer(RecordedEvent event) {
    if (event.position() <= lease.claimed().stopAt()) {
      waiting.add(event);
      waitingBytes += InFlight.bytes(event);
    }
  }

  /** Whether the next event to be sent has to be parked instead. */
  boolean isHeldUp() {
    var next = waiting.peek();
    return next != null && parked.holds(next);
  }

  /** Whether there are events that {@link #heldLetters} tells of, and the next one is held. */
  boolean isToPark() {
    var next = waiting.peek();
    return next != null && parked.isToPark(next);
  }

  /** The events that have to be parked before anything after them is sent. */
  List<DeadLetter> heldLetters() {
    return waiting.stream().filter(parked::isToPark).map(DeadLetter::of).toList();
  }

  /**
   * What has to be parked if an event failed: that one and all of its key that were read after it.
   * From now on none of that key is sent.
   *
   * @return in order; empty if no such event is in flight
   */
  List<DeadLetter> letters(long failed) {
    var first = inFlight.from(failed).findFirst().filter(event -> event.position() == failed);
    if (first.isEmpty()) {
      return List.of();
    }
    var stream = first.get().aggregate();
    parked.add(List.of(Slots.key(stream)));
    return Stream.concat(inFlight.from(failed), waiting.stream())
        .filter(event -> event.aggregate().equals(stream))
        .map(DeadLetter::of)
        .toList();
  }

  /** Does not send what waits at these positions: it was parked. */
  public void forget(Set<Long> positions) {
    waiting.removeIf(
        event -> {
          var isGone = positions.contains(event.position());
          waitingBytes -= isGone ? InFlight.bytes(event) : 0;
          return isGone;
        });
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

  /**
   * Sends what may be sent.
   *
   * @return how many events were sent
   */
  public int pump(long now) {
    if (isLettersTurn()) {
      return 0;
    }
    var count = 0;
    while (phase == Phase.RUNNING
        && lease.isTrusted(now)
        && !waiting.isEmpty()
        && !parked.isFull()
        && !isHeldUp()
        && !isNextProven()
        && credit > 0
        && (inFlight.messages() < MESSAGES_ENOUGH || fillsMessage())
        && inFlight.bytes() < FLIGHT_BYTES_MAX) {
      var goesAlone = goesAlone();
      if ((goesAlone && !hasHandedNothing()) || !mayHand(goesAlone)) {
        break;
      }
      var batch = nextBatch(goesAlone ? 1 : MESSAGE_EVENTS_MAX);
      if (!send(batch, now)) {
        break;
      }
      count += batch.size();
    }
    leaveUnusedTrial();
    return count;
  }

  /** Whatever it was to be tried with cannot be handed over now. */
  public void leaveUnusedTrial() {
    if (isOnTrial() && hasHandedNothing()) {
      session.custody().withdraw(this);
      if (!parked.queue().isEmpty()) {
        ring(); // letters that were held back
      }
    }
  }

  private boolean fillsMessage() {
    return waiting.size() >= MESSAGE_EVENTS_MAX || waitingBytes >= MESSAGE_BYTES_MAX;
  }

  private List<RecordedEvent> nextBatch(int most) {
    var batch = new ArrayList<RecordedEvent>();
    var bytes = 0;
    for (var next = waiting.peek(); next != null; next = waiting.peek()) {
      var size = InFlight.bytes(next);
      if (parked.holds(next)
          || batch.size() == Math.min(credit, most)
          || (!batch.isEmpty() && bytes + size > MESSAGE_BYTES_MAX)) {
        break;
      }
      batch.add(next);
      bytes += size;
      waiting.remove();
    }
    waitingBytes -= bytes;
    credit -= batch.size();
    batch.forEach(inFlight::add);
    batch.forEach(sent::add);
    noteHanded();
    return batch;
  }

  private boolean send(List<RecordedEvent> events, long now) {
    var from = sentUpTo;
    if (waiting.isEmpty()) {
      sentUpTo = looked.position();
    } else {
      sentUpTo = events.get(events.size() - 1).position();
    }
    if (events.isEmpty() || events.get(events.size() - 1).position() < sentUpTo) {
      inFlight.add(sentUpTo, lookedCommand);
    }
    inFlight.left(sentUpTo);
    sentAt = now;
    return session.send(
        new ConsumerMessage.Events(
            lease.segment().consumer().wire(),
            lease.segment().number(),
            lease.fence(),
            looked.epoch(),
            from,
            sentUpTo,
            events),
        Lane.REQUEST);
  }

  /**
   * Where nothing is in flight and what was looked at since the last message was not for this
   * segment: moves it on with a message without events, now and then.
   *
   * @return nanoseconds until it should be tried again, 0 for never
   */
  public long moveOn(long now) {
    var silent = looked.position() - sentUpTo;
    if (phase != Phase.RUNNING
        || silent <= 0
        || !waiting.isEmpty()
        || !inFlight.isEmpty()
        || parked.isFull()) {
      return 0;
    }
    var left = SILENT_NANOS_MAX - (now - sentAt);
    if (silent < SILENT_POSITIONS_MAX && left > 0 && looked.position() < lease.claimed().stopAt()) {
      return left;
    }
    if (lease.isTrusted(now)) {
      send(List.of(), now);
    }
    return 0;
  }

  /**
   * The bundle has done everything up to a position.
   *
   * @return false if it means nothing here: of another epoch, or {@link #isBeyond more} than was
   *     sent
   */
  boolean landed(UUID epoch, long position) {
    if (!epoch.equals(looked.epoch()) || position > sentUpTo) {
      return false;
    }
    var command = inFlight.landed(position);
    noteHanded();
    acquit(position);
    if (position > acked) {
      acked = position;
      lease.reach(position, command);
    }
    if (position >= failingAt) {
      failingAt = Long.MAX_VALUE;
      lease.failing(null);
    }
    noteQuiet();
    return true;
  }

  /** Whether an acknowledgement is of more than was sent. */
  boolean isBeyond(UUID epoch, long position) {
    return phase == Phase.RUNNING && epoch.equals(looked.epoch()) && position > sentUpTo;
  }

  /** Up to here the session was told of the segment. */
  long toldUpTo() {
    return sentUpTo;
  }

  /** All up to here was handled: it ended no session. */
  private void acquit(long position) {
    var poisonCandidates = lease.doubts();
    if (!poisonCandidates.isNone()) {
      lease.doubts(poisonCandidates.beyond(position));
    }
  }

  /** The bundle fails on an event; a complaint that was overtaken by its success is none. */
  void failing(long position, String why) {
    if (position > acked) {
      failingAt = position;
      lease.failing(why);
    }
  }

  void drain() {
    if (phase != Phase.ENDED) {
      phase = Phase.DRAINING;
      forgetWaiting();
      noteQuiet();
    }
  }

  void giveUp() {
    refused = phase == Phase.ENABLED;
    givenUp = true;
    drain();
    quiet = true;
  }

  void end() {
    phase = Phase.ENDED;
    quiet = true;
    forgetWaiting();
    session.custody().left(this);
    session.custody().withdraw(this);
    // Which fence it names is what counts: a newer lease of the same instance is not meant.
    session.send(
        new ConsumerMessage.Disable(
            lease.segment().consumer().wire(), lease.segment().number(), lease.fence()),
        Lane.REQUEST);
  }

  /** Whether the session, or the database, has something that is not done. */
  public boolean isBusy() {
    return !inFlight.isEmpty();
  }

  public void noteQuiet() {
    quiet |= phase == Phase.DRAINING && !isBusy();
  }

  // ---- for those who do not send events as such

  public boolean hasWaiting() {
    return !waiting.isEmpty();
  }

  /** Takes what waits, as much as one message may hold. */
  public List<RecordedEvent> takeWaiting() {
    var batch = new ArrayList<RecordedEvent>();
    var bytes = 0;
    for (var next = waiting.peek(); next != null; next = waiting.peek()) {
      var size = InFlight.bytes(next);
      if (batch.size() == MESSAGE_EVENTS_MAX
          || (!batch.isEmpty() && bytes + size > MESSAGE_BYTES_MAX)) {
        break;
      }
      batch.add(next);
      sent.add(next);
      bytes += size;
      waiting.remove();
    }
    waitingBytes -= bytes;
    return batch;
  }

  /** Has what was taken wait again, before all others. */
  public void putBack(List<RecordedEvent> events) {
    for (var i = events.size() - 1; i >= 0; i--) {
      waiting.addFirst(events.get(i));
      waitingBytes += InFlight.bytes(events.get(i));
    }
  }

  @Nullable
  public UUID lookedCommand() {
    return lookedCommand;
  }

  /** All up to here is done, and the row knows it or will be told. */
  public void done(long position) {
    sentUpTo = Math.max(sentUpTo, position);
    acked = Math.max(acked, position);
    acquit(position);
  }

  public long doneUpTo() {
    return sentUpTo;
  }

  private void forgetWaiting() {
    waiting.clear();
    waitingBytes = 0;
  }
}
