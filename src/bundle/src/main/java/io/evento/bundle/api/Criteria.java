package io.evento.bundle.api;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Which events a decision of a {@link Boundary} rests on: those that meet at least one item. Made
 * like {@code tagged("course", c.course()).or("student", c.student()).types(Subscribed.class)}.
 *
 * @param items one or more
 */
public record Criteria(List<Item> items) {
  public Criteria {
    items = List.copyOf(items);
    if (items.isEmpty()) {
      throw new IllegalArgumentException("criteria need an item");
    }
  }

  /**
   * Events with all these tags and one of these types.
   *
   * @param tags one or more, as {@code key:value}
   * @param types none for all that the boundary applies and that carry these tags
   */
  public record Item(List<String> tags, List<Class<?>> types) {
    public Item {
      tags = List.copyOf(tags);
      types = List.copyOf(types);
      if (tags.isEmpty()) {
        throw new IllegalArgumentException("an item of criteria needs a tag");
      }
    }
  }

  /** Events with this tag. */
  public static Criteria tagged(String key, Object value) {
    return new Criteria(List.of(new Item(List.of(tag(key, value)), List.of())));
  }

  /** Narrows the last item to events that also have this tag. */
  public Criteria and(String key, Object value) {
    var last = items.get(items.size() - 1);
    var tags = new ArrayList<>(last.tags);
    tags.add(tag(key, value));
    return withLast(new Item(tags, last.types));
  }

  /** Narrows the last item to events of these types. */
  public Criteria types(Class<?>... types) {
    var last = items.get(items.size() - 1);
    return withLast(new Item(last.tags, List.of(types)));
  }

  /** Or events with this tag. */
  public Criteria or(String key, Object value) {
    return or(tagged(key, value));
  }

  /** Or what the others match. */
  public Criteria or(Criteria others) {
    var all = new ArrayList<>(items);
    all.addAll(others.items);
    return new Criteria(all);
  }

  private Criteria withLast(Item last) {
    var all = new ArrayList<>(items);
    all.set(all.size() - 1, last);
    return new Criteria(all);
  }

  private static String tag(String key, Object value) {
    return key + ":" + Objects.requireNonNull(value, () -> "the tag " + key + " needs a value");
  }
}
