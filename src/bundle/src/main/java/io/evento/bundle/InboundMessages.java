package io.evento.bundle;

import io.evento.bundle.consumer.Consumers;
import io.evento.bundle.consumer.StepConsumers;
import io.evento.bundle.dispatch.Dispatcher;
import io.evento.bundle.gateway.FetchedKeys;
import io.evento.bundle.gateway.Requests;
import io.evento.bundle.gateway.Subscriptions;
import io.evento.bundle.session.Inbound;
import io.evento.bundle.session.Session;
import io.evento.protocol.CommandMessage.Command;
import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.ConsumerMessage.Disable;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.ConsumerMessage.Events;
import io.evento.protocol.ConsumerMessage.Parked;
import io.evento.protocol.ConsumerMessage.Retry;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.DecideBoundary;
import io.evento.protocol.LiveMessage;
import io.evento.protocol.LiveMessage.Ended;
import io.evento.protocol.LiveMessage.Update;
import io.evento.protocol.LiveMessage.View;
import io.evento.protocol.LiveMessage.Watch;
import io.evento.protocol.Message;
import io.evento.protocol.PersonalMessage.Erased;
import io.evento.protocol.Printable;
import io.evento.protocol.QueryMessage.Query;
import io.evento.protocol.ReplyMessage;
import io.evento.protocol.ReplyMessage.Cancel;
import io.evento.protocol.ReplyMessage.Fault;
import io.evento.protocol.ReplyMessage.Result;
import io.evento.protocol.StepMessage.Steps;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/** Hands each kind of message to whom it is for. */
final class InboundMessages implements Inbound {
  private static final Logger LOG = System.getLogger(InboundMessages.class.getName());

  private final Requests requests;
  private final Subscriptions subscriptions;
  private final Dispatcher dispatcher;
  private final Consumers consumers;
  private final StepConsumers steps;
  private final FetchedKeys keys;

  InboundMessages(
      Requests requests,
      Subscriptions subscriptions,
      Dispatcher dispatcher,
      Consumers consumers,
      StepConsumers steps,
      FetchedKeys keys) {
    this.requests = requests;
    this.subscriptions = subscriptions;
    this.dispatcher = dispatcher;
    this.consumers = consumers;
    this.steps = steps;
    this.keys = keys;
  }

  @Override
  public void received(Session session, Message message) {
    if (message instanceof ReplyMessage reply) {
      replied(session, reply);
    } else if (message instanceof DecideMessage ask) {
      decide(session, ask);
    } else if (message instanceof ConsumerMessage told) {
      consume(session, told);
    } else if (message instanceof Query query) {
      dispatcher.answer(query, session::answer);
    } else if (message instanceof Command command) {
      dispatcher.run(command, session::answer);
    } else if (message instanceof Steps asked) {
      steps.steps(asked);
    } else if (message instanceof LiveMessage told) {
      live(session, told);
    } else if (message instanceof Erased told) {
      keys.erased(told.subjects());
      dispatcher.forgetStates();
    } else {
      unexpected(session, message);
    }
  }

  private void replied(Session session, ReplyMessage reply) {
    if (reply instanceof Result result) {
      requests.answered(session, result);
    } else if (reply instanceof Fault fault) {
      refused(session, fault);
    } else if (reply instanceof Cancel cancel) {
      dispatcher.cancel(cancel.id());
      consumers.unwatch(cancel.id(), session);
    } else {
      unexpected(session, reply);
    }
  }

  private void decide(Session session, DecideMessage message) {
    if (message instanceof Decide ask) {
      dispatcher.decide(ask, session::answer);
    } else if (message instanceof DecideBoundary ask) {
      dispatcher.decideBoundary(ask, session::answer);
    } else {
      unexpected(session, message);
    }
  }

  private void consume(Session session, ConsumerMessage message) {
    if (message instanceof Events events) {
      consumers.events(events);
    } else if (message instanceof Enable given) {
      if (steps.hosts(given.consumer())) {
        steps.enable(given, session::answer, session);
      } else {
        consumers.enable(given, session::answer, session);
      }
    } else if (message instanceof Disable taken) {
      if (steps.hosts(taken.consumer())) {
        steps.disable(taken, session);
      } else {
        consumers.disable(taken, session);
      }
    } else if (message instanceof Parked parked) {
      consumers.parked(parked);
    } else if (message instanceof Retry retry) {
      consumers.retry(retry);
    } else {
      unexpected(session, message);
    }
  }

  private void live(Session session, LiveMessage message) {
    if (message instanceof Update update) {
      subscriptions.updated(session, update);
    } else if (message instanceof View view) {
      subscriptions.answered(session, view);
    } else if (message instanceof Watch watch) {
      consumers.watch(watch.query(), session);
      session.answer(new Result(watch.query().id(), null, null));
    } else if (message instanceof Ended ended) {
      subscriptions.ended(session, ended);
    } else {
      unexpected(session, message);
    }
  }

  private static void unexpected(Session session, Message message) {
    LOG.log(
        Level.WARNING,
        () ->
            "unexpected message node="
                + session.node()
                + " kind="
                + message.getClass().getSimpleName());
  }

  private void refused(Session session, Fault fault) {
    if (fault.id() == null) {
      LOG.log(
          Level.WARNING,
          () ->
              "node could not read us node="
                  + session.node()
                  + " "
                  + Printable.log(fault.detail()));
    } else if (!subscriptions.refused(session, fault)) {
      requests.refused(session, fault);
    }
  }

  @Override
  public void usable(Session session) {
    requests.wake();
  }

  @Override
  public void lost(Session session) {
    requests.lost(session);
    subscriptions.lost(session);
    consumers.lost(session);
    steps.lost(session);
    if (keys.forget()) {
      // Who was erased until the next session is told to nobody here.
      dispatcher.forgetStates();
    }
  }
}
