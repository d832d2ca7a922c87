/**
 * The reviewed tools of Scalekit's connectors, by effect: tool → sha256 of the definition that was looked at, or a list of them. Data;
 * how it was reviewed stands in manifest.ts. When a definition changes, test/scalekit/manifest.test.ts says which line to look at.
 */
export type Pins = Readonly<Record<string, string | readonly string[]>>;

export const READ: Pins = {
  github_check_runs_list_for_ref: "c3885bce4a956fcfd59e4b0a6292ffd499bdd12e2d63f3d57f11e7d0928246ee",
  github_issue_comments_list: "fff8907c0095aa6961111ac1fc5de1913c362826d47df43ff3bc2f0762c552a2",
  github_issue_get: "974e7b2db8b9aa8245d01b29d2677c947483d302ffd52baf0a3c18ce84cff3a5",
  github_issues_list: "25404fe5ab93097d1742ec4a72bad2239a88d73633a52195fd083881fb2a0c92",
  github_pull_request_files_list: "88da0b5e863fb7c2953d8a4183807727ece75ca5fd7eb6350545c8254e6dd4f7",
  github_pull_request_get: "dc1d004725368f68158f960b9a8a8bb8ce3c02dde678eb8aa0369236371a6494",
  github_pull_request_reviews_list: "168d2fbb6982087c5ac72dbb57ef7c73f241a9c4dbad0c116df11d5266b5d4c5",
  github_pull_requests_list: "e998a24e158a753d6282aacf6b00e2979913ab570a08754467ce170db61f5436",
  github_repo_get: "552517b6d4b5226a2a66bbd0203e998b07a760ceb36683c6c351cd5ac3529efe",
  github_search_issues: "d3ce9fa885a1539ddd915ece30d436a382b84a6cf2beb4327e2b7ebcb8b2b227",
  github_user_get_authenticated: "ff182e67eb86e4fc2b5534cdfbcbf6f97d3bc4439c2949e37bdfe3398c0fb401",
  github_user_repos_list: "6605fff51265769589cdc6b4ae96819cf3596b1dfb650d2e183039de4d76c7e7",
  gmail_fetch_mails: "7b84e62c49f6f187e4ede3c58f400518025e87642144ad00dcce73612a08d1fd",
  // Not among the emulated tools, so no definition of it is known.
  gmail_get_attachment_by_id: [],
  gmail_get_draft: "d216c8b096d4e87c748e26b8a75ba33351863738174961087397f3dc984eb48a",
  gmail_get_message_by_id: "0cca725e8d2b7563535ffc13d3c9c5e272ad210473b6f39d80a8cd84aa2c675e",
  gmail_get_profile: "1afc41ac3dbf1ec10b5c5f84e39d61200e9371b6e484f319a2e7da4c39b1a522",
  gmail_get_thread_by_id: "4ecff28249dc09373f28de16d5ef79fedd47bd5c822ba99f9cdbcf8ee5d5c33c",
  gmail_get_vacation_settings: "7577fe2c3ffdd4b128bda3d125fb42ceb74f44278a91ce081235995d6aae7746",
  gmail_list_drafts: "8771d4ecc1fa558c0fca2dd6489766198d4390519a0b3a220e463e38ac730de4",
  gmail_list_filters: "4dbce612f36856becc476480a14910458ab4292990b77361bd1d24354916e143",
  gmail_list_labels: "ab1934e93dc6bb62eef91de32cb7bf6a2a863fdee48d9440478cc426352236db",
  gmail_list_send_as: "4636436e8fdebb196e0455037b2a2daad7c3fd0c59260b0cdf6f5109e8c57d48",
  gmail_list_threads: "af9f0e138361d768ceb86ee624844d489bc33cdf8b0f1c9067e26a645dd3b164",
  gmail_search_people: "065cf1724c5b397919ca13958f2155eaac17a8db6b0f8726eff23105015c1efb",
  googlecalendar_get_event_by_id: "2a6d90580227b984342087d048ac3ff54f396b9d6f79ee3b7bf2274eab68fccb",
  googlecalendar_list_calendars: "2a30e53da66c77306f159d25fe20ba7b7c6b8483ea9f3bf5d18a6a855453d319",
  googlecalendar_list_events: "1768ba1abb95d367fad700b168bbacd0b6e6b4b531b949256e87cdfdc6756a8f",
  googlecalendar_query_freebusy: "fdf29d9facc90f61989a4f588ad30586490947d295eab1a6cba3c2de0caa0db0",
  googlecalendar_search_events: "e83be884df9c89b43c0e8245bcde5c4d9225ed6d33f8e618b2f8c9068f368368",
  hubspot_deals_search: "f8bf3d3e0a5d0a595f3f633585c1ce50be1998f2a65b84741a390cd801bb9a37",
  salesforce_query_soql: "88c44f5361641cf7cf8761c2bcb30977cb0be3a5a80fcf9b6c4413ac62e2ee1b",
  slack_auth_test: "7c0a3694eef3b0e25dd255107658bf650b8b28f7d1c6dfdaf6b44c2f8ff44bb0",
  slack_fetch_conversation_history: "0773f0abe8f8d8684152ab717ac30cec9b38b0b44c7d02570150328f6a6219a0",
  slack_get_conversation_info: "791b709d57900487b87fa25168bf3233d343c09f8345fd79b518a6057dfa6025",
  slack_get_conversation_replies: "20b2ba97482d727fd6fef9bcef7dcade0526afb98a4c3d078c6824aecfba17b3",
  slack_get_user_info: "ec59535ef9f3203d445e3ee8fbee08f7983e91d1e586e5f44b4d295fc62a82cc",
  slack_list_channels: "476b1cea81080d284b77ca24f5e49ee84890c1fcc7e3d356f9ba68e5d6e46605",
  slack_list_users: "af1f14c968b06dd4054b1b5bc71010dfdc5d3fabe17d2c255bb5ffa76d8699bc",
  slack_lookup_user_by_email: "c56c398372fbc82d6dd80a6ef59bedf0d6a585902bf13bbdef213d8d781a2f66",
  slack_search_messages: "91b072fc60d103f287da023bbc2be3ab73462768afa4d90408a9089fb0db9c12",
};

export const IDEMPOTENT: Pins = {
  gmail_batch_modify_messages: "36e7e5a134e70ce3430d89beca8834bd9ab1048eb29c97df04e9782b8bc94089",
  gmail_delete_draft: "c0d2d71ac62844886f8dda95ff6f2adc0c22dd8ec7307f281884d0f086416898",
  gmail_delete_label: "85ddec9207ca0f389f9ed06686c4a5ef4267e7c70d546edb6e72569bd79b531f",
  gmail_modify_message_labels: "40afa57a3e4b531378662cb08c1217609addce36efb8b8a743b017cae4172ea0",
  gmail_modify_thread_labels: "441e73e6139c6a33dca86dc05260e88ad3e080ccddaac983eb4b936d26312a6d",
  gmail_trash_message: "d2c8aac3c5c2fe66a380efce54c998a7e168c485b990623f83e5f9d684290bb6",
  gmail_trash_thread: "d9aa517791102504839a5302582abf1648832d3ad4c71a7d11677ab58d81a204",
  gmail_untrash_message: "448edabd9841b12099d4a9116c5d24b36530427cbcc24f4d5f6573635f1eaa25",
  // Replaces the draft's whole content.
  gmail_update_draft: "a41adf15c56475ef0da056e983b8da3ee36d104fc9a70a223a47f51b286b5045",
  googlecalendar_delete_event: "ae810d58ac4fa65457e93f30a878181f80e9170134d5a32cb86213a8779418f7",
  // Slack refuses the second one: already_reacted.
  slack_add_reaction: "54f840c364857baeecc7383ff50b46deeeaf2ccd2ee2bf6459b626784023d8fc",
  slack_delete_message: "37ff46b0917cc5aca94d7aee3e4785ab1120276436d01d74500db69271fc94fc",
  slack_join_conversation: "9da7d1a49940066c3ba86b4964a08e7a72daf746bf20d1b626d7c2559c7a7ea9",
  // Replaces the message's text.
  slack_update_message: "e66824ce30e23e2a0d51a32aa4580c00281335db681e8214198edd3ca3eca3ae",
};

export const UNSAFE: Pins = {
  github_issue_comment_create: "a1b06d5d2ce7a0b2a014f49a1e728061174bc2d6bacc8d43f61c8c1696310cc8",
  github_issue_create: "0b86f6ef57eac2e3496b5e720387efc675d266d5cf74bfb554443afcecc9892e",
  gmail_create_draft: "540661b98611c41ef58b22bf4bf9a3f6830a0b89d9b0d61f1d336dd1ffbe2385",
  gmail_create_label: "97b1f9f8686774951890df45af0e668719d7fa3a42f29ab07042a3aae980cf87",
  gmail_reply_to_thread: "174846113a29fa42a61f7e0ee5f2fce4ee2293c7ad3f61e037b30d97d9e3970a",
  // Gmail does not promise that a second send of the draft fails.
  gmail_send_draft: "eaf8f15c63e3ec8baa04c169173f53a34eb512464f77665a6921b648a130dfc6",
  gmail_send_message: "58bcc08c3fda6fbc17e5e8c13b90854128d2661a1cef853c78aa9e5f59fcd2d3",
  googlecalendar_create_event: "c45e1a54e8a1537cb4b3fcd3b7adbdf22cadf9ccf7430233192a8e559ffff1b7",
  slack_send_message: "5387db9aee356ee9df2f996fecad4d0f46241cd06eacd91e00990dfa1344aaa9",
  slack_send_rich_message: "d1cd988c35fcb249ec167c0c323543f33abc167c7798180366700c7c7c420d39",
};
