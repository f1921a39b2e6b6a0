package io.daosmesh.rebuild.plan;

import io.daosmesh.model.wire.RebuildRankStatus;

/**
 * One rank's share of a rebuild. Immutable.
 *
 * @param objectsFound sent to their new homes by this rank's scan (each acknowledged)
 * @param objectsReceived accepted here for pulling
 * @param objectsBlocked wait for room at their new home here
 * @param status DER number, 0 = fine
 */
public record RankStatus(
        boolean isScanDone,
        boolean isPullDone,
        long objectsFound,
        long objectsReceived,
        long objectsPulled,
        long records,
        long bytes,
        long objectsBlocked,
        int status,
        String detail) {
    public static final RankStatus NOTHING = new RankStatus(false, false, 0, 0, 0, 0, 0, 0, 0, "");

    public RebuildRankStatus toWire() {
        return RebuildRankStatus.newBuilder()
                .setScanDone(isScanDone)
                .setPullDone(isPullDone)
                .setObjectsFound(objectsFound)
                .setObjectsReceived(objectsReceived)
                .setObjectsPulled(objectsPulled)
                .setRecords(records)
                .setBytes(bytes)
                .setObjectsBlocked(objectsBlocked)
                .setStatus(status)
                .setDetail(detail)
                .build();
    }

    public static RankStatus fromWire(RebuildRankStatus s) {
        return new RankStatus(
                s.getScanDone(),
                s.getPullDone(),
                s.getObjectsFound(),
                s.getObjectsReceived(),
                s.getObjectsPulled(),
                s.getRecords(),
                s.getBytes(),
                s.getObjectsBlocked(),
                s.getStatus(),
                s.getDetail());
    }
}
