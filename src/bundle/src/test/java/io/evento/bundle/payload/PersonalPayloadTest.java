package io.evento.bundle.payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.PayloadVersion;
import io.evento.bundle.api.Tag;
import io.evento.bundle.api.Upcaster;
import io.evento.bundle.personal.MemoryKeys;
import io.evento.bundle.personal.MissingKeyException;
import io.evento.bundle.personal.Personal;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is personal in a payload leaves it encrypted, and comes back to whoever has the key. */
@NullUnmarked
class PersonalPayloadTest {
  record Address(@Personal(subject = "/ownerId") String street, String country) {}

  record Member(String id, @Personal(subject = "/ownerId") String nickname) {}

  record Opened(
      String ownerId,
      @Personal(subject = "/ownerId") String name,
      @Personal(subject = "/ownerId", erased = "1900-01-01") LocalDate born,
      @Personal(subject = "/ownerId", erased = "0") int shoeSize,
      @JsonProperty("home/address") Address address,
      @Personal(subject = "/ownerId") List<String> phones,
      List<Member> members,
      Map<String, Address> others,
      BigDecimal balance) {}

  record Named(@Personal(subject = Personal.AGGREGATE) String name) {}

  record Rename(@AggregateId String id, @Personal(subject = "@aggregate") String name) {}

  private static final Opened ADA =
      new Opened(
          "ada",
          "Ada \"Lovelace\" \u2026 \n",
          LocalDate.of(1815, 12, 10),
          38,
          new Address("St James's Square", "GB"),
          List.of("1234567"),
          List.of(new Member("m-1", "Countess"), new Member("m-2", "Enchantress")),
          Map.of("summer", new Address("Ockham Park", "GB")),
          new BigDecimal("10.50"));

  private final MemoryKeys keys = new MemoryKeys();
  private final PayloadMapper mapper = new PayloadMapper(keys);
  private final PayloadType opened = mapper.typeOf(Opened.class);

  @Test
  void nothing_personal_is_in_the_text_and_everything_else_is() {
    var text = opened.write(ADA).text();
    assertThat(text)
        .doesNotContain(
            "Lovelace", "1815", "\"shoeSize\":38", "James", "1234567", "Countess", "Enchantress")
        .doesNotContain("Ockham")
        .contains("\"ownerId\":\"ada\"", "\"country\":\"GB\"", "\"balance\":10.50", "m-2");
  }

  @Test
  void it_is_read_as_it_was_written() {
    assertThat(opened.read(opened.write(ADA))).isEqualTo(ADA);
    assertThat(new PayloadMapper(keys).typeOf(Opened.class).read(opened.write(ADA), 1))
        .isEqualTo(ADA);
  }

  @Test
  void the_same_value_is_the_same_text_at_its_place_and_another_one_elsewhere() {
    // A repeat of a command would otherwise be another command under the same id.
    assertThat(opened.write(ADA)).isEqualTo(opened.write(ADA));
    var named = mapper.typeOf(Named.class);
    assertThat(named.write(new Named("x"), "a-1"))
        .isEqualTo(named.write(new Named("x"), "a-1"))
        .isNotEqualTo(named.write(new Named("x"), "a-2"))
        .isNotEqualTo(named.write(new Named("y"), "a-1"));
  }

  @Test
  void once_the_subject_is_erased_placeholders_are_read() {
    var written = opened.write(ADA);
    keys.erase("ada");
    assertThat(opened.read(written))
        .isEqualTo(
            new Opened(
                "ada",
                "[erased]",
                LocalDate.of(1900, 1, 1),
                0,
                new Address("[erased]", "GB"),
                null,
                List.of(new Member("m-1", "[erased]"), new Member("m-2", "[erased]")),
                Map.of("summer", new Address("[erased]", "GB")),
                new BigDecimal("10.50")));
  }

  @Test
  void a_key_that_is_missing_without_an_erasure_is_a_failure_and_no_placeholder() {
    var written = opened.write(ADA);
    keys.lose("ada");
    assertThatThrownBy(() -> opened.read(written))
        .isInstanceOf(MissingKeyException.class)
        .hasMessageContaining("/name of a Opened cannot be read");
  }

  @Test
  void nothing_new_is_written_of_an_erased_subject_but_the_placeholders() {
    var written = opened.write(ADA);
    keys.erase("ada");
    var read = opened.read(written);
    assertThat(opened.read(opened.write(read))).isEqualTo(read);
    assertThatThrownBy(() -> opened.write(ADA))
        .isInstanceOf(EventoException.class)
        .hasMessageContaining("/name is of a subject that was erased");
  }

  @Test
  void the_failure_of_a_value_says_nothing_of_it() {
    var written = opened.write(ADA).text();
    var moved = written.replace("\"ownerId\":\"ada\"", "\"ownerId\":\"bob\"");
    assertThatThrownBy(() -> opened.read(new Json(moved)))
        .hasMessage("what stands at /name of a Opened is of another subject than it says");
    assertThatThrownBy(
            () -> opened.write(new Opened(null, "Secret", null, 1, null, null, null, null, null)))
        .hasMessageContaining("/name is personal, and nothing at /ownerId says of whom")
        .hasMessageNotContaining("Secret");
  }

  @Test
  void a_value_cannot_be_moved_to_another_place_or_type() {
    var members = mapper.typeOf(Members.class);
    var text = members.write(new Members("ada", "first", "second")).text();
    var first = text.substring(text.indexOf("{\"$p\""), text.indexOf("},\"second\"") + 1);
    var second = text.substring(text.lastIndexOf("{\"$p\""), text.length() - 1);
    assertThatThrownBy(() -> members.read(new Json(text.replace(first, second))))
        .hasMessageContaining("was not written there");
    var others = mapper.typeOf(OtherMembers.class);
    assertThatThrownBy(() -> others.read(new Json(text)))
        .hasMessageContaining("was not written there");
  }

  record Members(
      String owner,
      @Personal(subject = "/owner") String first,
      @Personal(subject = "/owner") String second) {}

  record OtherMembers(
      String owner,
      @Personal(subject = "/owner") String first,
      @Personal(subject = "/owner") String second) {}

  @Test
  void an_aggregates_id_may_be_the_subject() {
    var named = mapper.typeOf(Named.class);
    var written = named.write(new Named("Ada"), "ada");
    assertThat(named.read(written, "ada")).isEqualTo(new Named("Ada"));
    assertThat(named.read(written)).isEqualTo(new Named("Ada"));
    assertThatThrownBy(() -> named.read(written, "bob")).hasMessageContaining("another subject");
    assertThatThrownBy(() -> named.write(new Named("Ada"))).hasMessageContaining("of whom");
    var rename = mapper.typeOf(Rename.class);
    keys.erase("ada");
    assertThat(named.read(written, "ada")).isEqualTo(new Named("[erased]"));
    assertThatThrownBy(() -> rename.write(new Rename("ada", "Ada")))
        .hasMessageContaining("was erased");
  }

  @Test
  void null_is_told_and_what_was_written_before_is_read() {
    var bare = new Opened("ada", null, null, 0, null, null, null, null, null);
    assertThat(opened.read(opened.write(bare))).isEqualTo(bare);
    assertThat(
            ((Opened)
                    opened.read(new Json("{\"ownerId\":\"ada\",\"name\":\"old\",\"shoeSize\":1}")))
                .name())
        .isEqualTo("old");
  }

  @Test
  void what_merely_looks_encrypted_is_no_way_to_read_it() {
    record Note(String owner, @Personal(subject = "/owner") String name, Object more) {}
    var note = mapper.typeOf(Note.class);
    var text = note.write(new Note("ada", "Ada", null)).text();
    var value = text.substring(text.indexOf("{\"$p\""), text.indexOf("},\"more\"") + 1);
    var read =
        (Note) note.read(new Json("{\"owner\":\"ada\",\"name\":null,\"more\":" + value + "}"));
    assertThat(read.more().toString()).contains("$p").doesNotContain("Ada");
  }

  @PayloadVersion(3)
  record Moved(String owner, @Personal(subject = "/owner") String familyName) {
    record V2(String owner, String name) {}

    @Upcaster(from = 1)
    static ObjectNode first(ObjectNode old) {
      return old.put("name", old.remove("whole").asText().toUpperCase(java.util.Locale.ROOT));
    }

    @Upcaster(from = 2)
    static Moved second(V2 old) {
      return new Moved(old.owner, old.name.substring(old.name.indexOf(' ') + 1));
    }
  }

  @Test
  void old_versions_are_read_before_they_are_lifted() {
    record Former(String owner, @Personal(subject = "/owner") String whole) {}
    var text = mapper.typeOf(Former.class).write(new Former("ada", "Ada Lovelace")).text();
    // As a release before wrote it, under the name that the type has kept.
    var type = mapper.typeOf(Moved.class);
    assertThatThrownBy(() -> type.read(new Json(text), 1))
        .hasMessageContaining("was not written there");
    var former = new PayloadMapper(keys).typeOf(Lifted.Moved.class);
    var written = former.write(new Lifted.Moved("ada", "Ada Lovelace"));
    assertThat(type.read(written, 1)).isEqualTo(new Moved("ada", "LOVELACE"));
    keys.erase("ada");
    assertThat(type.read(written, 1)).isEqualTo(new Moved("ada", "[ERASED]"));
  }

  /** Holds the shape of a release before, under the same name. */
  static final class Lifted {
    record Moved(String owner, @Personal(subject = "/owner") String whole) {}
  }

  @Test
  void results_are_encrypted_and_read_by_their_caller() {
    var json = mapper.writeResult(ADA, null);
    assertThat(json.text()).doesNotContain("Lovelace");
    assertThat(mapper.readResult(Opened.class, json)).isEqualTo(ADA);
    assertThat(mapper.read(Opened.class, mapper.openResult(json))).isEqualTo(ADA);
    assertThat(mapper.writeResult("text", null).text()).isEqualTo("\"text\"");
  }

  @Test
  void the_schema_says_what_is_encrypted() {
    assertThat(opened.schema().text())
        .contains("\"name\":{\"type\":\"string\",\"x-evento-personal\":{\"subject\":\"/ownerId\"}}")
        .contains("\"street\":{\"type\":\"string\",\"x-evento-personal\"")
        .doesNotContain("\"ownerId\":{\"type\":\"string\",\"x");
  }

  // What start() refuses.

  record OnId(@Personal(subject = "@aggregate") @AggregateId String id) {}

  record OnTag(String owner, @Personal(subject = "/owner") @Tag String mail) {}

  record Nowhere(@Personal(subject = "/owner") String mail) {}

  record NoPointer(String owner, @Personal(subject = "owner") String mail) {}

  record OfList(List<String> owners, @Personal(subject = "/owners") String mail) {}

  record Itself(@Personal(subject = "/mail") String mail) {}

  record Twice(String owner, @Personal(subject = "/owner") Member member) {}

  record NoWord(String owner, @Personal(subject = "/owner") int age) {}

  record WrongWord(String owner, @Personal(subject = "/owner", erased = "never") LocalDate born) {}

  record Unfit(String owner, @Personal(subject = "/owner", erased = "") String mail) {
    Unfit {
      if (mail != null && mail.isEmpty()) {
        throw new IllegalArgumentException("must have a mail");
      }
    }
  }

  record Tree(String ownerId, @Personal(subject = "/ownerId") String name, List<Tree> children) {}

  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
  @JsonSubTypes({@JsonSubTypes.Type(Mail.class), @JsonSubTypes.Type(Phone.class)})
  sealed interface Contact permits Mail, Phone {}

  record Mail(@Personal(subject = "/ownerId") String address) implements Contact {}

  record Phone(String number) implements Contact {}

  record WithContact(String ownerId, Contact contact) {}

  @ParameterizedTest
  @ValueSource(
      classes = {
        OnId.class,
        OnTag.class,
        Nowhere.class,
        NoPointer.class,
        OfList.class,
        Itself.class,
        Twice.class,
        NoWord.class,
        WrongWord.class,
        Unfit.class,
        Tree.class,
        WithContact.class
      })
  void a_place_that_could_not_be_kept_from_others_is_refused(Class<?> type) {
    assertThatThrownBy(() -> new PayloadMapper(keys).typeOf(type))
        .isInstanceOf(InvalidBundleException.class)
        .hasMessageContaining("@Personal");
  }

  @Test
  void a_refusal_names_component_and_rule() {
    assertThatThrownBy(() -> mapper.typeOf(OnTag.class))
        .hasMessage(
            "OnTag.mail cannot be @Personal: it is a @Tag, which is kept in the clear for events to"
                + " be found by");
    assertThatThrownBy(() -> mapper.typeOf(OnId.class))
        .hasMessage(
            "OnId.id cannot be @Personal: it is the @AggregateId, by which streams are found and"
                + " named");
    assertThatThrownBy(() -> mapper.typeOf(Nowhere.class))
        .hasMessageContaining("its subject \"/owner\" must be @aggregate or a pointer");
    assertThatThrownBy(() -> mapper.typeOf(WrongWord.class))
        .hasMessageContaining("its erased = \"never\" must be readable as a LocalDate");
    assertThatThrownBy(() -> mapper.typeOf(Unfit.class))
        .hasMessageContaining("could not be read once a subject of it is erased");
  }

  @Test
  void what_is_personal_as_a_whole_may_be_anything() {
    record Whole(String ownerId, @Personal(subject = "/ownerId") Contact contact) {}
    record Plain(String ownerId, @Personal(subject = "/ownerId") Phone phone) {}
    assertThatThrownBy(() -> mapper.typeOf(Whole.class)).hasMessageContaining("Whole.contact");
    assertThatCode(() -> mapper.typeOf(Plain.class)).doesNotThrowAnyException();
  }
}
