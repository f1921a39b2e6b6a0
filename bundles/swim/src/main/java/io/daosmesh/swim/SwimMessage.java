package io.daosmesh.swim;

import java.util.List;

/**
 * A ping, ping-req, ack or nack; all four have the same shape. Immutable.
 *
 * @param from the sender
 * @param fromIncarnation the sender's own incarnation
 * @param sequence names the probe at the member that started it; 0 expects no answer to be matched
 * @param target whom the probe is about
 * @param refused ping-req: "my connection to the target is refused"; nack: "mine too"
 * @param updates bounded gossip riding along
 */
public record SwimMessage(
        int from, long fromIncarnation, long sequence, int target, boolean refused, List<SwimUpdate> updates) {

    public SwimMessage {
        updates = List.copyOf(updates);
    }
}
