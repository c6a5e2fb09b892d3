// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Reason} from "../interfaces/Types.sol";
import {Plan} from "./Plan.sol";

/// @title Reason codes and the list that collects them
/// @notice Four letters of ISO 20022 where the lists of sese.024 have one; our own begin with X. The
/// sentence a person reads for each stands in src/settle/domain/reasons.py, kept equal by a test.
library Reasons {
    // Terms that no state can make settle.
    bytes4 internal constant LEGS = "XLEG";
    bytes4 internal constant QUANTITY = "XQTY";
    bytes4 internal constant SELF = "XSLF";
    bytes4 internal constant INITIATOR = "XINI";
    bytes4 internal constant WINDOW = "XWIN";
    bytes4 internal constant OPTION = "XOPT";
    bytes4 internal constant CYCLE = "XCYC";
    bytes4 internal constant PREDECESSOR = "XPRE";
    bytes4 internal constant LOT = "XLOT";
    // Where the nonce stands.
    bytes4 internal constant SETTLED = "XDON";
    bytes4 internal constant CANCELLED = "XCAN";
    bytes4 internal constant OCCUPIED = "XOCC";
    // Time.
    bytes4 internal constant FUTURE = "FUTU";
    bytes4 internal constant LAPSED = "ADEA";
    // Consent and standing.
    bytes4 internal constant SIGNATURES = "XSIG";
    bytes4 internal constant NOT_ADMITTED = "XADM";
    bytes4 internal constant SUSPENDED = "XSUS";
    bytes4 internal constant NO_CONSENT = "XCON";
    bytes4 internal constant BAD_SIGNATURE = "XBAD";
    bytes4 internal constant WITHDRAWN = "XWDR";
    // Value.
    bytes4 internal constant ACCOUNT_FROZEN = "BLOC";
    bytes4 internal constant ASSET_UNKNOWN = "XAST";
    bytes4 internal constant ASSET_FROZEN = "SBLO";
    bytes4 internal constant LACK_SECURITIES = "LACK";
    bytes4 internal constant LACK_CASH = "MONY";
    // Calls other than settle.
    bytes4 internal constant NOT_A_PARTY = "XPTY";
    bytes4 internal constant IRREVOCABLE = "XIRR";
    bytes4 internal constant BINDING = "XBND";
    bytes4 internal constant RESERVATION = "XRSV";
    bytes4 internal constant TOO_FAR = "XFAR";
    bytes4 internal constant MESSAGE_USED = "XONC";
    bytes4 internal constant MESSAGE_OVER = "XEXP";
    bytes4 internal constant NOTHING_NEW = "XNIL";

    /// @notice Adds a reason to what was found. Costs nothing while there is none.
    function add(
        Plan memory plan,
        bytes4 code,
        uint256 leg,
        uint256 who,
        uint256 needed,
        uint256 have
    ) internal pure {
        Reason[] memory found = plan.found;
        uint256 count = found.length;
        Reason[] memory longer = new Reason[](count + 1);
        // Bound: at most one reason a term, four an account and two a leg.
        for (uint256 k = 0; k < count; ++k) {
            longer[k] = found[k];
        }
        // The index counts legs or accounts, of which there are at most 2 * MAX_LEGS = 16; accounts in words
        // are clean.
        // forge-lint: disable-start(unsafe-typecast)
        longer[count] = Reason({
            code: code, leg: uint8(leg), who: address(uint160(who)), needed: needed, have: have
        });
        // forge-lint: disable-end(unsafe-typecast)
        plan.found = longer;
    }

    /// @notice Whether nothing was found.
    function none(Plan memory plan) internal pure returns (bool) {
        return plan.found.length == 0;
    }
}
