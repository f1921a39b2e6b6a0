package io.daosmesh.management.log;

import com.google.protobuf.ByteString;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.OutcomeMessage;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The replies of the last commands that carried a request id, so that a resent command is answered and not applied again.
 * Owner: its state machine. Bounded: the oldest is forgotten, long after any client gave up resending it.
 */
public final class Outcomes {
    /** At 100 admin commands a second this is still 40 s, ten times the longest resend pause. */
    public static final int OUTCOMES_MAX = 4096;

    private final Map<String, ByteString> replies = new LinkedHashMap<>();

    public Optional<LogReply> find(String requestId) {
        ByteString reply = requestId.isEmpty() ? null : replies.get(requestId);
        if (reply == null) return Optional.empty();
        return Optional.of(Replies.parse(reply.toByteArray()));
    }

    public void keep(String requestId, LogReply reply) {
        if (requestId.isEmpty()) return;
        replies.put(requestId, reply.toByteString());
        if (replies.size() > OUTCOMES_MAX) {
            Iterator<String> oldest = replies.keySet().iterator();
            oldest.next();
            oldest.remove();
        }
    }

    public List<OutcomeMessage> save() {
        return replies.entrySet().stream()
                .map(e -> OutcomeMessage.newBuilder()
                        .setRequestId(e.getKey())
                        .setReply(e.getValue())
                        .build())
                .toList();
    }

    public void load(List<OutcomeMessage> saved) {
        replies.clear();
        saved.forEach(o -> replies.put(o.getRequestId(), o.getReply()));
    }
}
