package io.daosmesh.engine.turn;

/**
 * What a target's own store takes, without network and other members. Written on the target loop, read by any thread.
 *
 * @param fetch looking up in the index where the bytes of a fetch are, without reading them from the device (that is bio)
 * @param update from the begin of an update or punch at this target until it is durable here: device and index
 */
public record VosLatencies(SizedLatency fetch, SizedLatency update) {
    public VosLatencies() {
        this(new SizedLatency(), new SizedLatency());
    }
}
