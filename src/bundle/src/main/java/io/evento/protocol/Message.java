package io.evento.protocol;

/**
 * One message between a bundle and a node. Its kind, the class name in lower case with a hyphen
 * between words, stands in the field {@code t}.
 *
 * <p>Unknown fields are ignored and absent lists are empty, so either side may be the newer one.
 * Deadlines are milliseconds left when the message was written. {@code B→N} says who may send it.
 */
public sealed interface Message
    permits SessionMessage,
        DeclareMessage,
        CommandMessage,
        QueryMessage,
        DecideMessage,
        ReplyMessage,
        ConsumerMessage,
        StepMessage,
        LiveMessage,
        PersonalMessage {}
