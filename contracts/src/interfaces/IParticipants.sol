// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Standing} from "./Types.sol";

/// @title Who is admitted, in which class, and which accounts are whose
interface IParticipants {
    /// @notice A legal entity.
    /// @param bic 8 or 11 characters, left aligned
    /// @param class for the limits and policies of later; 0 is none
    struct Participant {
        Standing standing;
        uint8 class;
        bytes11 bic;
        uint16 accounts;
    }

    event ParticipantAdmitted(bytes20 indexed lei, bytes11 bic, uint8 class);
    event ParticipantStandingSet(bytes20 indexed lei, Standing standing, bytes4 reason);
    event AccountOpened(bytes20 indexed lei, address indexed account);

    error ParticipantUnknown(bytes20 lei);
    error ParticipantExists(bytes20 lei);
    error ParticipantInvalid(bytes20 lei, bytes11 bic);
    error StandingUnchanged(bytes20 lei, Standing standing);
    error AccountTaken(address account, bytes20 lei);
    error AccountInvalid(address account);
    error TooManyAccounts(uint256 accounts, uint256 max);

    /// @notice Admits a participant with its first accounts.
    /// @dev Requires: the registrar role. An account belongs to one participant for ever.
    function admit(bytes20 lei, bytes11 bic, uint8 class, address[] calldata accounts) external;

    /// @notice Opens a further account of an admitted participant.
    /// @dev Requires: the registrar role.
    function openAccount(bytes20 lei, address account) external;

    /// @notice Suspends a participant, or admits it again. Its exits stay open (law L5).
    /// @dev Requires: the registrar role. Bound: at most MAX_ACCOUNTS accounts.
    function setStanding(bytes20 lei, Standing standing, bytes4 reason) external;

    function participantOf(bytes20 lei) external view returns (Participant memory);
    function leiOf(address account) external view returns (bytes20);
    function accountAt(bytes20 lei, uint256 index) external view returns (address);
}
