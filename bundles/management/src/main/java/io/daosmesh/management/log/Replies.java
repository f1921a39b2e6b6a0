package io.daosmesh.management.log;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.LogReply;

/** Makes and reads the replies of the state machines. */
public final class Replies {
    /** Success without words. */
    public static final LogReply DONE = LogReply.getDefaultInstance();

    private Replies() {}

    public static LogReply done(MessageLite body) {
        return LogReply.newBuilder().setBody(body.toByteString()).build();
    }

    public static LogReply refused(Fault fault) {
        return LogReply.newBuilder().setFault(fault.toWire()).build();
    }

    /**
     * Of a command that passed all checks and yet cannot be applied: on each replica alike, so that the group goes on, which it
     * would not with an applier that has died on all of them.
     */
    public static LogReply impossible(RuntimeException e) {
        return refused(Fault.of(FaultCode.MISC, "this release cannot apply the command: %s", String.valueOf(e)));
    }

    public static LogReply parse(byte[] reply) {
        try {
            return LogReply.parseFrom(reply);
        } catch (InvalidProtocolBufferException e) {
            throw damaged("a reply of the Raft log", e);
        }
    }

    /** The reply, or its refusal as an exception. */
    public static LogReply orThrow(byte[] reply) {
        LogReply r = parse(reply);
        if (r.hasFault()) throw Fault.fromWire(r.getFault()).asException();
        return r;
    }

    /** What the state machine says in it. */
    public static <T> T body(LogReply reply, Parser<T> parser) {
        try {
            return parser.parseFrom(reply.getBody());
        } catch (InvalidProtocolBufferException e) {
            throw damaged("a reply of the Raft log", e);
        }
    }

    public static RuntimeException damaged(String what, Exception cause) {
        return Fault.of(FaultCode.DF_INVAL, "%s is damaged: %s", what, String.valueOf(cause.getMessage()))
                .asException();
    }
}
