package io.evento.server.consumer.delivery;

import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Slots;
import io.evento.server.eventstore.EventChoice;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.follow.EventBatch;
import io.evento.server.eventstore.follow.Subscription;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A place in the total order and the deliveries that stand there: what comes next is read once for
 * all of them. Those that cannot take more are left behind and go on from their own place later.
 *
 * <p>At the head of the order everybody meets again. Before that, whoever reads history waits a
 * moment for those who are shortly behind: segments of a new consumer begin within a second of each
 * other, and would read all of it side by side. Confined to the delivery thread.
 */
final class Cursor {
  private static final int TAKE_EVENTS = 256;
  private static final int TAKE_BYTES = 256 << 10;
  private static final int READ_EVENTS = 1_000;
  private static final int READ_BYTES = 512 << 10;

  /** Where the database is read, segments that start together are waited for … */
  private static final long GATHER_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  /** … and those that are slower for a moment, as reading on without them means reading twice. */
  private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  /** So far behind is near enough to be waited for, as it is soon read … */
  private static final long NEAR = 50_000;

  /** … for so long … */
  private static final long MEETING_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** … and so rarely, as who is behind may be slow for good. */
  private static final long MEETING_EVERY_NANOS = TimeUnit.SECONDS.toNanos(30);

  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private final Cursors all;
  private final EventLoop.Task task;
  private final Subscription subscription;
  private final long born;
  private final List<Delivery> members = new ArrayList<>();
  // Sessions of one consumer may want different events, while a new release of a bundle comes in.
  private final Map<Wish, Route> routes = new LinkedHashMap<>();
  private StorePosition at;
  private boolean isBehind;
  private boolean isReading;
  private boolean isHeldUp;
  private long heldUpSince;
  private long meetingSince;
  private boolean closed;

  private record Wish(ConsumerId consumer, Filter filter) {}

  /** Which of those who want the same is given which slot, and how the slots are found. */
  private record Route(Filter filter, @Nullable Delivery[] slots) {
    Route(Filter filter) {
      this(filter, new @Nullable Delivery[Slots.COUNT]);
    }

    /** Whether there is somebody for it, as far as can be told without the payload. */
    boolean wants(int ofStream, String type, String context) {
      return filter.accepts(type, context) && (filter.isAssociated() || slots[ofStream] != null);
    }
  }

  Cursor(Cursors all, Subscription subscription, StorePosition at, long now) {
    this.all = all;
    this.subscription = subscription;
    this.at = at;
    this.born = now;
    this.meetingSince = now - MEETING_EVERY_NANOS;
    this.task = all.task(this::advance);
  }

  StorePosition at() {
    return at;
  }

  void add(Delivery delivery) {
    members.add(delivery);
    delivery.readBy(this);
    var lease = delivery.lease();
    var slots = routes.computeIfAbsent(wish(delivery), wish -> new Route(wish.filter())).slots();
    for (var slot = lease.claimed().firstSlot(); slot <= lease.claimed().lastSlot(); slot++) {
      slots[slot] = delivery;
    }
  }

  void remove(Delivery delivery) {
    members.remove(delivery);
    delivery.readBy(null);
    var wish = wish(delivery);
    var route = routes.get(wish);
    for (var slot = 0; route != null && slot < Slots.COUNT; slot++) {
      if (route.slots()[slot] == delivery) {
        route.slots()[slot] = null;
      }
    }
    // A cursor at the head lives as long as its node: releases that are gone are asked no more.
    if (members.stream().map(Cursor::wish).noneMatch(wish::equals)) {
      routes.remove(wish);
    }
    if (members.isEmpty()) {
      task.ring();
    }
  }

  private static Wish wish(Delivery delivery) {
    return new Wish(delivery.lease().segment().consumer(), delivery.filter());
  }

  void ring() {
    task.ring();
  }

  /** A member can take more again. */
  void roomAgain() {
    if (isHeldUp) {
      task.ring();
    }
  }

  private void advance() {
    if (closed || isReading) {
      return;
    }
    if (!isEverybodyReady()) {
      return;
    }
    if (members.isEmpty()) {
      close();
      return;
    }
    var eventBatch = subscription.take(TAKE_EVENTS, TAKE_BYTES);
    if (eventBatch instanceof EventBatch.Behind) {
      isBehind = true;
      read();
    } else {
      isBehind = false;
      found(eventBatch);
    }
  }

  private boolean isEverybodyReady() {
    var full = members.stream().filter(member -> !member.hasRoom()).toList();
    if (full.isEmpty()) {
      isHeldUp = false;
      return true;
    }
    var now = all.now();
    if (isBehind && !isHeldUp) {
      isHeldUp = true;
      heldUpSince = now;
      all.ringLater(task, PATIENCE_NANOS);
    }
    if (isBehind && now - heldUpSince < PATIENCE_NANOS) {
      return false;
    }
    isHeldUp = false;
    full.forEach(this::remove);
    return true;
  }

  private void read() {
    var gather = GATHER_NANOS - (all.now() - born);
    if (gather > 0) {
      all.ringLater(task, gather);
      return;
    }
    if (isMeeting()) {
      all.ringLater(task, LOOK_NANOS);
      return;
    }
    isReading = true;
    var choice = choice();
    var positions = all.upToNext(this, Integer.MAX_VALUE);
    all.catchUp(
        () -> subscription.catchUp(positions, READ_EVENTS, READ_BYTES, choice),
        eventBatch -> {
          isReading = false;
          found(eventBatch);
        },
        () -> {
          isReading = false;
          all.ringLater(task, TimeUnit.MILLISECONDS.toNanos(500));
        });
  }

  /** Whether it waits for somebody who reads the same shortly behind. */
  private boolean isMeeting() {
    if (!all.isFollowed(this, NEAR)) {
      return false;
    }
    var now = all.now();
    if (now - meetingSince >= MEETING_EVERY_NANOS) {
      meetingSince = now;
    }
    return now - meetingSince < MEETING_NANOS;
  }

  /**
   * What the members want. Nobody joins while it is in use on the reader's thread, and who leaves
   * meanwhile only has something read for nothing.
   */
  private EventChoice choice() {
    var consumers = List.copyOf(routes.values());
    return new EventChoice(
        EventChoice.anyOf(consumers.stream().map(route -> route.filter().typesNamed()).toList()),
        EventChoice.anyOf(consumers.stream().map(route -> route.filter().contexts()).toList()),
        (stream, type, context) -> {
          var ofStream = Slots.of(stream);
          return consumers.stream().anyMatch(route -> route.wants(ofStream, type, context));
        });
  }

  private void found(EventBatch eventBatch) {
    if (eventBatch instanceof EventBatch.Events next) {
      if (next.events().isEmpty() && next.upTo().equals(at)) {
        isBehind = false;
        all.meet(this);
      } else {
        hand(next.events(), next.upTo(), next.command());
        if (isBehind) {
          all.meet(this);
        }
        task.ring();
      }
    } else if (eventBatch instanceof EventBatch.Rewound) {
      for (var member : List.copyOf(members)) {
        remove(member);
        member.loseItsPlace();
      }
    } else {
      task.ring();
    }
  }

  private void hand(List<RecordedEvent> events, StorePosition upTo, @Nullable UUID command) {
    at = upTo;
    var consumers = List.copyOf(routes.values());
    for (var event : events) {
      var ofStream = Slots.of(event.aggregate());
      for (var route : consumers) {
        var slot = route.filter().slot(event, ofStream);
        var member = slot < 0 ? null : route.slots()[slot];
        if (member != null && member.filter().accepts(event)) {
          member.offer(event);
        }
      }
    }
    for (var member : List.copyOf(members)) {
      member.looked(upTo, command);
      member.ring();
    }
  }

  /** Hands all members over to another cursor at the same place. */
  void mergeInto(Cursor other) {
    for (var member : List.copyOf(members)) {
      remove(member);
      other.add(member);
    }
    close();
  }

  /**
   * How far another one that reads history is ahead.
   *
   * @return negative if it is behind; empty if the two do not read the same
   */
  OptionalLong distanceTo(Cursor other) {
    var areReading = !closed && !other.closed && isBehind && other.isBehind;
    return areReading && at.epoch().equals(other.at.epoch())
        ? OptionalLong.of(other.at.position() - at.position())
        : OptionalLong.empty();
  }

  /**
   * Whether a delivery at this place can still join: what is being read is not for it, and whom all
   * have left is about to close.
   */
  boolean isAt(StorePosition place) {
    return !closed && !isReading && !members.isEmpty() && at.equals(place);
  }

  private void close() {
    if (!closed) {
      closed = true;
      subscription.close();
      all.remove(this);
    }
  }
}
