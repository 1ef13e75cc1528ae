package io.evento.scenario.access;

import java.util.List;
import java.util.UUID;

/**
 * One message of each kind that a bundle may send.
 *
 * @param right that it needs in context {@code walk}, {@link #UNHEARD} if none
 * @param line with quotes for double ones, {@code ID} for an id and {@code SCHEDULED} for that of a
 *     command that waits
 */
record Said(String kind, String right, String line) {
  /** Anybody may say it of what is his own. */
  static final String UNHEARD = "";

  String with(UUID id) {
    return line.replace('\'', '"').replace("ID", id.toString());
  }

  static List<Said> all() {
    var own = "'consumer':'walkers:1','segment':0,'fence':0";
    return List.of(
        new Said(
            "declare",
            "host",
            "{'t':'declare','id':'ID','components':[{'kind':'service','name':'Fresh','version':0,"
                + "'context':'walk','commands':[{'type':'Refresh'}],'events':[],'queries':[]}]}"),
        new Said(
            "command", "send", "{'t':'command','id':'ID','type':'WalkUp','deadline':9000,'p':{}}"),
        new Said(
            "query", "send", "{'t':'query','id':'ID','type':'WalkWhere','deadline':9000,'p':{}}"),
        new Said(
            "subscribe",
            "send",
            "{'t':'subscribe','query':{'id':'ID','type':'WalkWhere','deadline':9000,'p':{}},'events':9}"),
        new Said(
            "schedule",
            "send",
            "{'t':'schedule','id':'ID','type':'WalkUp','after':3600000,'p':{}}"),
        new Said("unschedule", "send", "{'t':'unschedule','id':'ID','command':'SCHEDULED'}"),
        new Said("schedules", "send", "{'t':'schedules','id':'ID','type':'WalkUp','limit':10}"),
        new Said(
            "follow", "read", "{'t':'follow','id':'ID','after':0,'context':'walk','events':10}"),
        new Said(
            "keys",
            "personal",
            "{'t':'keys','id':'ID','subjects':['%s'],'make':true,'type':'WalkUp'}"
                .formatted("a".repeat(22))),
        new Said("hello", UNHEARD, "{'t':'hello','bundle':'walk','instance':'ID'}"),
        new Said("ping", UNHEARD, "{'t':'ping'}"),
        new Said(
            "decided",
            UNHEARD,
            "{'t':'decided','id':'ID','attempt':'1','tip':'0:0','events':[{'type':'Stolen','p':{}}]}"),
        new Said(
            "boundary-decided",
            UNHEARD,
            "{'t':'boundary-decided','id':'ID','attempt':'1','events':[{'type':'Stolen','p':{}}]}"),
        new Said("result", UNHEARD, "{'t':'result','id':'ID','p':1}"),
        new Said("error", UNHEARD, "{'t':'error','id':'ID','code':'internal'}"),
        new Said("cancel", UNHEARD, "{'t':'cancel','id':'ID'}"),
        new Said("disable", UNHEARD, "{'t':'disable'," + own + "}"),
        new Said("credit", UNHEARD, "{'t':'credit'," + own + ",'events':10}"),
        new Said("ack", UNHEARD, "{'t':'ack'," + own + ",'epoch':'ID','position':9}"),
        new Said("nack", UNHEARD, "{'t':'nack'," + own + ",'position':9,'attempt':1,'park':true}"),
        new Said(
            "stepped",
            UNHEARD,
            "{'t':'stepped',"
                + own
                + ",'batch':1,'results':[{'ended':false,'deadlines':[],"
                + "'commands':[{'type':'WalkUp','p':{},'hear':false}]}]}"),
        new Said("retried", UNHEARD, "{'t':'retried'," + own + ",'letter':'ID'}"),
        new Said("more", UNHEARD, "{'t':'more','id':'ID','events':10}"),
        new Said("view", UNHEARD, "{'t':'view','id':'ID','attempt':1,'p':1}"),
        new Said(
            "update",
            UNHEARD,
            "{'t':'update','ids':['ID']," + own + ",'epoch':'ID','position':9,'ordinal':0,'p':1}"),
        // Last, as it ends what its session hosts.
        new Said("drain", UNHEARD, "{'t':'drain'}"));
  }
}
