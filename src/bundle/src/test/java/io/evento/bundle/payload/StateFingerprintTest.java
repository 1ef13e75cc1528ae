package io.evento.bundle.payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.PayloadVersion;
import io.evento.bundle.dispatch.Components;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** States that cannot stand for each other have other fingerprints. */
class StateFingerprintTest {
  record Box<T>(T value) {}

  static final class Before {
    enum Kind {
      A,
      B
    }

    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
    @JsonSubTypes({@JsonSubTypes.Type(One.class), @JsonSubTypes.Type(Two.class)})
    sealed interface Part permits One, Two {}

    record One(int n) implements Part {}

    record Two(int n) implements Part {}

    record Gong(Box<Integer> value) {}

    record Deep(Map<String, List<Box<Box<Integer>>>> value) {}

    record Constants(Kind value) {}

    record Sealed(Part value) {}

    record Collected(List<String> value) {}

    record Numbered(int value) {}
  }

  static final class After {
    enum Kind {
      A,
      B,
      C
    }

    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
    @JsonSubTypes({@JsonSubTypes.Type(One.class), @JsonSubTypes.Type(Three.class)})
    sealed interface Part permits One, Three {}

    record One(int n) implements Part {}

    record Three(int n) implements Part {}

    record Gong(Box<String> value) {}

    record Deep(Map<String, List<Box<Box<String>>>> value) {}

    record Constants(Kind value) {}

    record Sealed(Part value) {}

    record Collected(Set<String> value) {}

    record Numbered(long value) {}
  }

  static Stream<Arguments> changed() {
    return Stream.of(
        Arguments.of(Before.Gong.class, After.Gong.class),
        Arguments.of(Before.Deep.class, After.Deep.class),
        Arguments.of(Before.Constants.class, After.Constants.class),
        Arguments.of(Before.Sealed.class, After.Sealed.class),
        Arguments.of(Before.Collected.class, After.Collected.class),
        Arguments.of(Before.Numbered.class, After.Numbered.class));
  }

  private static String fingerprint(Class<?> state) {
    return new PayloadMapper().typeOf(state).fingerprint(1);
  }

  @ParameterizedTest
  @MethodSource
  void changed(Class<?> before, Class<?> after) {
    assertThat(fingerprint(before)).isEqualTo(fingerprint(before)).isNotEqualTo(fingerprint(after));
  }

  record Add(@AggregateId String id) {}

  record Added(int n) {}

  static final class First {
    @Aggregate
    record Sum(long value) {
      @CommandHandler
      static Added add(Add command, Sum state) {
        return new Added(10);
      }

      @EventSourcingHandler
      static Sum added(Added event) {
        return new Sum(event.n());
      }
    }
  }

  static final class Second {
    @Aggregate(revision = 2)
    record Sum(long value) {
      @CommandHandler
      static Added add(Add command, Sum state) {
        return new Added(10);
      }

      @EventSourcingHandler
      static Sum added(Added event) {
        return new Sum(1);
      }
    }
  }

  @Aggregate(revision = 0)
  record NoRevision() {}

  @Aggregate
  @PayloadVersion(2)
  record Versioned() {}

  private static String declared(Class<?> aggregate) {
    return String.valueOf(
        Components.of(List.of(aggregate), new PayloadMapper(), false)
            .declared()
            .get(0)
            .stateSchema());
  }

  @Test
  void a_raised_revision_is_another_state_of_the_same_shape() {
    assertThat(declared(First.Sum.class))
        .isEqualTo(declared(First.Sum.class))
        .isNotEqualTo(declared(Second.Sum.class));
    assertThatThrownBy(() -> declared(NoRevision.class))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining("revision of NoRevision must be 1 or more");
    assertThatThrownBy(() -> declared(Versioned.class))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining("raise the revision in @Aggregate");
  }
}
