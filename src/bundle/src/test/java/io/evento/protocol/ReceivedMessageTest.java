package io.evento.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Nothing in a bundle's message is taken for what it is not. */
class ReceivedMessageTest {
  private static final String ID = "0198c2f4-0000-7000-8000-000000000001";

  private static String line(String text) {
    return text.replace("ID", '"' + ID + '"');
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'t':'command','id':ID,'type':'A','deadline':'1000','p':{}} | /deadline",
        "{'t':'command','id':ID,'type':'A','deadline':1000.5,'p':{}} | /deadline",
        "{'t':'command','id':ID,'type':'A','deadline':1e3,'p':{}} | /deadline",
        "{'t':'command','id':ID,'type':'A','deadline':true,'p':{}} | /deadline",
        "{'t':'command','id':ID,'type':7,'deadline':1000,'p':{}} | /type",
        "{'t':'command','id':'','type':'A','deadline':1000,'p':{}} | /id",
        "{'t':'command','id':ID,'type':'A','ifVersion':'3','deadline':1000,'p':{}} | /ifVersion",
        "{'t':'command','id':ID,'type':'A','ifVersion':'','deadline':1000,'p':{}} | /ifVersion",
        "{'t':'command','id':ID,'type':'A','deadline':1000,'deadline':1,'p':{}} | /deadline",
        "{'t':'command','id':ID,'type':'A','deadline':1000,'p':{'a':1,'a':1}} | /p/a",
        "{'t':'command','id':ID,'type':'A','deadline':1000,'p':{'a':'\\ud800'}} | /p/a",
        "{'t':'command','id':ID,'type':'A','deadline':1000,'p':{'a':[{'\\udc00':1}]}} | /p/a/0",
        "{'t':'command','id':ID,'type':'A','deadline':1000,'meta':{'a':'\\ud800'},'p':{}} | /meta/a",
        "{'t':'command','id':ID,'type':'A','deadline':1000,'cause':'\\udfff','p':{}} | /cause",
        "{'t':'command','id':ID,'type':'A','deadline':1000,'p':{}}{} | ''",
        "{'t':'decided','id':ID,'attempt':5,'tip':'0:0'} | /attempt",
        "{'t':'decided','id':ID,'attempt':'5x','tip':'0:0'} | /attempt",
        "{'t':'decided','id':ID,'attempt':'5','tip':'0:0','events':[null]} | /events/0",
        "{'t':'decided','id':ID,'attempt':'5','tip':'0:0','stale':'true'} | /stale",
        "{'t':'decided','id':ID,'attempt':'5','tip':'0:0','stale':1} | /stale",
        "{'t':'decided','id':ID,'attempt':'5','tip':'0:0','events':[{'type':'A','tags':[7],'p':{}}]} |"
            + " /events/0/tags/0",
        "{'t':'decided','id':ID,'attempt':'5','tip':'0:0','events':[{'type':'A','tags':[null],'p':{}}]}"
            + " | /events/0/tags/0",
        "{'t':'declare','id':ID,'components':[null]} | /components/0",
        "{'t':'declare','id':ID,'components':[{'kind':'saga','name':'A','version':1,'consumes':"
            + "{'associations':{'A':null}}}]} | /components/0/consumes/associations/A",
        "{'t':'query','id':ID,'type':'A','deadline':1000,'p':{},'gather':1} | /gather",
        "{'t':'query','id':ID,'type':'A','deadline':1000,'p':{},'gather':''} | /gather",
        "{'t':'error','id':ID,'code':5} | /code",
      })
  void what_has_another_form_is_refused_by_its_field(String text, String pointer) {
    var line = line(text.replace('\'', '"'));
    assertThatThrownBy(() -> Codec.receive(line))
        .isInstanceOfSatisfying(
            EventoException.class,
            told ->
                assertThat(told.violations().get(0).pointer())
                    .as(told.detail())
                    .isEqualTo(pointer.replace("'", "")));
  }

  @Test
  void what_a_newer_side_adds_is_passed_over_and_what_is_not_said_has_its_default() {
    var read =
        (DecideMessage.Decided)
            Codec.receive(
                line(
                    "{\"t\":\"decided\",\"id\":ID,\"attempt\":\"-5\",\"tip\":\"0:0\",\"new\":[{}]}"));
    assertThat(read.attempt()).isEqualTo(-5);
    assertThat(read.events()).isEmpty();
    assertThat(read.stale()).isFalse();
    var failed =
        (DecideMessage.Decided) Codec.receive(line("{\"t\":\"decided\",\"id\":ID,\"stale\":true}"));
    assertThat(failed.attempt()).isZero();
    var fault =
        (ReplyMessage.Fault) Codec.receive("{\"t\":\"error\",\"id\":null,\"code\":\"conflict\"}");
    assertThat(fault.id()).isNull();
  }

  @Test
  void whole_pairs_go_through_as_they_were_written() {
    var payload = "{\"a\":\"\\ud83d\\ude00 \ud83d\ude00 \\\\ud800\",\"b\":1.10E+3}";
    var read =
        (CommandMessage.Command)
            Codec.receive(
                line("{\"t\":\"command\",\"id\":ID,\"type\":\"A\",\"deadline\":1,\"p\":")
                    + payload
                    + "}");
    assertThat(read.payload().text()).isEqualTo(payload);
  }
}
