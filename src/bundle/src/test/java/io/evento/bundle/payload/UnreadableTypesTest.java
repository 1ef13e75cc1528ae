package io.evento.bundle.payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.Associate;
import io.evento.bundle.api.Boundary;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Projection;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.SagaStart;
import io.evento.bundle.api.Service;
import io.evento.bundle.api.Step;
import io.evento.bundle.api.Tag;
import io.evento.bundle.dispatch.Components;
import java.math.BigDecimal;
import java.net.URI;
import java.time.LocalDate;
import java.util.Currency;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What could be written and not read back is refused before a bundle starts, by its place. */
class UnreadableTypesTest {
  record Sku(String code) {}

  record Text(@JsonValue String code) {}

  record Box<T>(T value) {}

  record Table<K, V>(Map<K, V> rows) {}

  record ByDay(Map<LocalDate, Integer> days) {}

  record BySku(Map<Sku, Integer> skus) {}

  record Deep(List<Map<String, Box<ByDay>>> boxes) {}

  record ByArgument(Table<LocalDate, Integer> table) {}

  record ByArgumentOfArgument(Box<Table<Sku, String>> box) {}

  record InArgument(Box<Optional<String>> box) {}

  record Holds(Map<String, Map<Sku, Integer>> inner) {}

  record Counting(AtomicLong count) {}

  record Hidden(String shown, @JsonIgnore String hidden) {}

  record WrittenOnly(@JsonProperty(access = JsonProperty.Access.READ_ONLY) String text) {}

  record ReadOnly(@JsonProperty(access = JsonProperty.Access.WRITE_ONLY) String text) {}

  @JsonInclude(JsonInclude.Include.NON_DEFAULT)
  record LeftOut(int count) {}

  record Cents(@JsonSerialize(using = ToStringSerializer.class) long cents) {}

  enum Same {
    ONE,
    OTHER;

    @JsonValue
    String text() {
      return "same";
    }
  }

  record HoldsSame(Same same) {}

  record KeyedBySame(Map<Same, Integer> same) {}

  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
  @JsonSubTypes(@JsonSubTypes.Type(Told.class))
  sealed interface Tagged permits Told {}

  record Told(Map<LocalDate, Integer> days) implements Tagged {}

  record HoldsTagged(Tagged tagged) {}

  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
  @JsonSubTypes(@JsonSubTypes.Type(Named.class))
  sealed interface Half permits Named, Unnamed {}

  record Named(int n) implements Half {}

  record Unnamed(int n) implements Half {}

  record HoldsHalf(List<Half> halves) {}

  record Shifts(int by) {
    Shifts {
      by = by + 1;
    }
  }

  static final class Bean {
    public Map<LocalDate, Integer> days = Map.of();

    @Override
    public boolean equals(Object other) {
      return other instanceof Bean bean && bean.days.equals(days);
    }

    @Override
    public int hashCode() {
      return days.hashCode();
    }
  }

  record HoldsBean(Bean bean) {}

  static Stream<Arguments> unreadable() {
    return Stream.of(
        Arguments.of(ByDay.class, "ByDay.days is a map with keys of the type LocalDate"),
        Arguments.of(BySku.class, "BySku.skus is a map with keys of the type Sku"),
        Arguments.of(Deep.class, "ByDay.days is a map with keys of the type LocalDate"),
        Arguments.of(ByArgument.class, "Table.rows is a map with keys of the type LocalDate"),
        Arguments.of(ByArgumentOfArgument.class, "Table.rows is a map with keys of the type Sku"),
        Arguments.of(InArgument.class, "Box.value is an Optional"),
        Arguments.of(Holds.class, "Holds.inner is a map with keys of the type Sku"),
        Arguments.of(Counting.class, "Counting.count is a java.util.concurrent.atomic.AtomicLong"),
        Arguments.of(Hidden.class, "Hidden.hidden is not written to JSON"),
        Arguments.of(WrittenOnly.class, "WrittenOnly.text is not read from JSON"),
        Arguments.of(ReadOnly.class, "ReadOnly.text is not written to JSON"),
        Arguments.of(LeftOut.class, "/count could not be read back, as it is required"),
        Arguments.of(Cents.class, "/cents could not be read back"),
        Arguments.of(HoldsSame.class, "HoldsSame.same is a Same, whose constant OTHER"),
        Arguments.of(KeyedBySame.class, "KeyedBySame.same is a Same, whose constant OTHER"),
        Arguments.of(HoldsTagged.class, "Told.days is a map with keys of the type LocalDate"),
        Arguments.of(HoldsHalf.class, "permits Unnamed, but none could be read back"),
        Arguments.of(HoldsBean.class, "Bean.days is a map with keys of the type LocalDate"),
        Arguments.of(Shifts.class, "Shifts.by is not what it was"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void unreadable(Class<?> type, String sentence) {
    assertThatThrownBy(() -> new PayloadMapper().typeOf(type))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining(sentence);
  }

  record Keys(
      Map<String, Integer> text,
      Map<UUID, Integer> id,
      Map<Integer, Integer> whole,
      Map<Long, Integer> large,
      Map<Character, Integer> letter,
      Map<Boolean, Integer> yes,
      Map<Locale, Integer> locale,
      Map<Currency, Integer> currency,
      Map<URI, Integer> uri,
      Map<BigDecimal, Integer> decimal,
      Map<Thread.State, Integer> constant,
      Map<Text, Integer> written,
      Map<Short, Map<Byte, Integer>> inner) {}

  @Test
  void keys_that_are_read_back_are_allowed() {
    var keys = new PayloadMapper().typeOf(Keys.class);
    var full =
        new Keys(
            Map.of("", 1),
            Map.of(new UUID(1, 2), 1),
            Map.of(-1, 1),
            Map.of(Long.MIN_VALUE, 1),
            Map.of('ä', 1),
            Map.of(false, 1),
            Map.of(Locale.forLanguageTag("de-CH"), 1),
            Map.of(Currency.getInstance("CHF"), 1),
            Map.of(URI.create("urn:a"), 1),
            Map.of(new BigDecimal("1E+3"), 1),
            Map.of(Thread.State.NEW, 1),
            Map.of(new Text("a"), 1),
            Map.of((short) 5, Map.of((byte) 6, 1)));
    assertThat(keys.read(keys.write(full))).isEqualTo(full);
  }

  record Open(@AggregateId String id, @Tag("id") String tag) {}

  record Opened(@Tag("id") String id) {}

  record OpenedByDay(@Tag("id") String id, Map<LocalDate, Integer> days) {}

  record OpenByDay(@AggregateId String id, Map<LocalDate, Integer> days) {}

  record AskByDay(Map<LocalDate, Integer> days) {}

  record Ask(String id) {}

  @Aggregate
  record EventIsUnreadable(String id) {
    @CommandHandler
    static OpenedByDay open(Open command) {
      return new OpenedByDay(command.id(), Map.of());
    }

    @EventSourcingHandler
    static EventIsUnreadable on(OpenedByDay event) {
      return new EventIsUnreadable(event.id());
    }
  }

  @Aggregate
  record CommandIsUnreadable(String id) {
    @CommandHandler
    static Opened open(OpenByDay command) {
      return new Opened(command.id());
    }

    @EventSourcingHandler
    static CommandIsUnreadable on(Opened event) {
      return new CommandIsUnreadable(event.id());
    }
  }

  @Aggregate
  record StateIsUnreadable(Map<LocalDate, Integer> nights) {
    @CommandHandler
    static Opened open(Open command) {
      return new Opened(command.id());
    }

    @EventSourcingHandler
    static StateIsUnreadable on(Opened event) {
      return new StateIsUnreadable(Map.of());
    }
  }

  @Boundary
  record BoundaryIsUnreadable(Map<LocalDate, Integer> nights) {
    @CommandHandler
    static Opened open(Open command, BoundaryIsUnreadable state) {
      return new Opened(command.id());
    }

    @EventSourcingHandler
    static BoundaryIsUnreadable on(Opened event) {
      return new BoundaryIsUnreadable(Map.of());
    }
  }

  @Service
  static class ServiceTakesUnreadable {
    @CommandHandler
    void run(OpenByDay command) {}
  }

  @Projector(name = "p")
  static class ProjectorTakesUnreadable {
    @EventHandler
    void on(OpenedByDay event) {}
  }

  @Projection(projector = "p")
  static class QueryIsUnreadable {
    @QueryHandler
    String find(AskByDay query) {
      return "";
    }
  }

  @Projection(projector = "p")
  static class ViewIsUnreadable {
    @QueryHandler
    List<Box<ByDay>> find(Ask query) {
      return List.of();
    }
  }

  @Saga(name = "s", state = ByDay.class)
  static class SagaStateIsUnreadable {
    @SagaStart
    @Associate("id")
    Step<ByDay> on(Opened event) {
      return Step.to(new ByDay(Map.of()));
    }
  }

  static Stream<Object> components() {
    return Stream.of(
        EventIsUnreadable.class,
        CommandIsUnreadable.class,
        StateIsUnreadable.class,
        BoundaryIsUnreadable.class,
        new ServiceTakesUnreadable(),
        new ProjectorTakesUnreadable(),
        new QueryIsUnreadable(),
        new ViewIsUnreadable(),
        new SagaStateIsUnreadable());
  }

  @ParameterizedTest
  @MethodSource
  void components(Object component) {
    assertThatThrownBy(() -> Components.of(List.of(component), new PayloadMapper(), false))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining(" is a map with keys of the type LocalDate")
        .hasMessageContaining("use a String, UUID, enum or whole number as the key");
  }

  record Picky(String name, int count) {
    Picky {
      if (count < 10) {
        throw new IllegalArgumentException("count must be 10 or more");
      }
    }
  }

  record Careful(String name) {
    @Override
    public String name() {
      return name.strip();
    }
  }

  record OwnEquals(String name) {
    @Override
    public boolean equals(Object other) {
      return other instanceof OwnEquals same && name.equals(same.name);
    }

    @Override
    public int hashCode() {
      return name.hashCode();
    }
  }

  @ParameterizedTest
  @ValueSource(classes = {Picky.class, Careful.class, OwnEquals.class})
  void a_record_that_takes_no_sample_starts_all_the_same(Class<?> type) {
    assertThatCode(() -> new PayloadMapper().typeOf(type)).doesNotThrowAnyException();
  }

  record Endless<T>(Endless<List<T>> next) {}

  @Test
  void a_record_that_contains_itself_without_end_is_refused() {
    assertThatThrownBy(() -> new Schemas(new PayloadMapper()).of(Endless.class))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining("ever longer arguments");
  }
}
