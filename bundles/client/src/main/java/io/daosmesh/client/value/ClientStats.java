package io.daosmesh.client.value;

/**
 * Counters of a client since it was connected. Immutable snapshot.
 *
 * @param requests requests sent, resends included
 * @param retries requests sent again after a refusal or a lost answer
 * @param staleMaps refusals because of an old pool map
 * @param checksumFailures answers whose bytes did not fit their checksum, on the way or on the server's media
 * @param mediaErrors refusals because a server's device has failed or does not answer
 * @param failures calls that ended in a fault other than a plain answer (absent, exists)
 * @param hedges reads sent to another replica as well since their leader had not answered for unusually long
 * @param hedgesWon those of them that the other replica has answered first
 * @param bytesWritten value bytes acknowledged
 * @param bytesRead value bytes received and verified
 */
public record ClientStats(
        long requests,
        long retries,
        long staleMaps,
        long checksumFailures,
        long mediaErrors,
        long failures,
        long hedges,
        long hedgesWon,
        long bytesWritten,
        long bytesRead) {}
